import { ScanCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { cmsWriteBack, contentful, csvBulk, sanity } from '../../../app/listener.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import { cmsVariables } from '../../support/cms.ts'
import { buildListener } from '../../support/listener.ts'

const TOOLS = { timeoutMs: 500 }
const CONTENTFUL = contentful({ space: 'local', contentTypes: { article: ['hero', 'gallery'] } }, TOOLS)
const SANITY = sanity(
  { projectId: 'local', dataset: 'production', documentTypes: { article: ['hero'] } },
  TOOLS
)
const processors = [
  cmsWriteBack({ cms: CONTENTFUL, onDelete: 'remove' }),
  cmsWriteBack({ cms: SANITY, name: 'to-sanity' }),
  csvBulk({ folder: 'bulk', operations: ['rename'] })
]
const { cloudinary, cms, sqs, environment, atRest, lines } = await buildListener(
  t,
  ({ cloudinary }) => {
    for (const each of [CONTENTFUL, SANITY]) {
      Object.assign(process.env, cmsVariables(each, `${cloudinary.url}/_standin`))
    }
    return processors
  },
  { retriesSoon: true }
)

const person = cloudinary.ui()
const picked = (publicId: string, resourceType = 'image') => {
  const { asset } = cloudinary.as().upload({ publicId, resourceType, tags: ['new'] })
  const url = `https://res.cloudinary.com/demo/${resourceType}/upload/q_auto/v${asset.version}/${publicId}.png`
  return {
    public_id: publicId,
    resource_type: resourceType,
    type: 'upload',
    version: asset.version,
    tags: ['new'],
    secure_url: url
  }
}
const article = (id: string, hero: object) => {
  cms.contentful.create(id, 'article', { title: { de: id }, hero: { de: [hero] } })
  cms.sanity.put({ _id: id, _type: 'article', title: id, hero })
}
const heroes = (id: string) => ({
  contentful: cms.contentful.entry(id)?.fields.hero?.de,
  sanity: cms.sanity.document(id)?.hero
})
const notes = () => lines.filter(({ msg }) => msg === 'event processed').map(({ note }) => String(note))
const writes = () =>
  [...cms.contentful.faults.calls, ...cms.sanity.faults.calls].filter(
    (action) => !/^(?:search|read)/.test(action)
  )

t.test('a renamed asset is renamed in both CMS, and published', async (t) => {
  article('a', picked('bag'))
  article('other', picked('bag', 'video'))
  const hosts = ['demo-res.cloudinary.com', 'img.example.com', 'other-res.cloudinary.com']
  const of = (host: string, path: string) => ({
    ...{ public_id: 'bag', resource_type: 'image', type: 'upload' },
    secure_url: `https://${host}/image/upload/w_9/${path}`
  })
  cms.contentful.create('hosts', 'article', { hero: { de: hosts.map((host) => of(host, 'v1/bag.png')) } })
  await atRest()
  person.rename('bag', 'shop/bag')
  await atRest()
  const { version } = cloudinary.assets.find('shop/bag')!
  const hero = {
    public_id: 'shop/bag',
    secure_url: `https://res.cloudinary.com/demo/image/upload/q_auto/v${version}/shop/bag.png`
  }
  t.match(heroes('a'), { contentful: [hero], sanity: hero })
  t.match(heroes('other'), { sanity: { public_id: 'bag', resource_type: 'video' } })
  const [own, custom, another] = hosts.map((host) => of(host, `v${version}/shop/bag.png`))
  t.match(heroes('hosts').contentful, [
    { ...own, public_id: 'shop/bag' },
    { ...custom, public_id: 'shop/bag' },
    { ...another, secure_url: /v1\/bag\.png$/ }
  ])
  cms.contentful.delete('hosts')
  t.match(cms.contentful.entry('a')?.sys, { version: 4, publishedVersion: 3 })
  t.strictSame(notes().toSorted(), ['contentful: published a, hosts', 'sanity: published a'])
})

t.test('a repeated delivery writes nothing', async (t) => {
  const before = writes().length
  for (const { url, body, headers } of [...cloudinary.deliveries]) {
    t.equal((await fetch(url, { method: 'POST', body, headers })).status, 200)
  }
  await atRest()
  t.equal(writes().length, before)
})

t.test('changes of the listener itself reach the CMS, and trigger nothing', async (t) => {
  const content = 'operation,public_id,to_public_id\nrename,shop/bag,shop/purse\n'
  cloudinary.as().upload({ publicId: 'bulk/1.csv', resourceType: 'raw', content })
  await atRest()
  t.match(heroes('a'), { contentful: [{ public_id: 'shop/purse' }], sanity: { public_id: 'shop/purse' } })
  const before = { calls: cloudinary.calls.length, deliveries: cloudinary.deliveries.length }
  await atRest()
  t.strictSame({ calls: cloudinary.calls.length, deliveries: cloudinary.deliveries.length }, before)
})

t.test('faults of a CMS delay a change', async (t) => {
  cms.contentful.faults.add({ action: 'search entries', status: 429 })
  cms.contentful.faults.add({ action: 'read entry', status: 401 })
  cms.contentful.faults.add({ action: 'update entry', kind: 'hang' })
  cms.contentful.faults.add({ action: 'publish entry', status: 503 })
  cms.sanity.faults.add({ action: 'search', status: 401 })
  cms.sanity.faults.add({ action: 'mutate', kind: 'reset' })
  cms.sanity.faults.add({ action: 'mutate', kind: 'hang' })
  cms.sanity.faults.add({ action: 'mutate', status: 429 })
  cms.sanity.faults.add({ action: 'mutate', status: 503 })
  person.addTags('shop/purse', ['sale'])
  await atRest()
  const tags = ['new', 'sale']
  t.match(heroes('a'), { contentful: [{ tags }], sanity: { tags } })
  const { version, publishedVersion } = cms.contentful.entry('a')!.sys
  t.equal(version, publishedVersion! + 1)
  const failed = lines.filter(({ msg }) => msg === 'event failed; will be retried')
  const failures = failed.map(({ err, processor }) => ({ processor, ...(err as unknown as Error) }))
  const of = (name: string) => failures.filter(({ processor }) => processor === name)
  t.match(of('cms-write-back'), [
    { code: 'CMS_UNAVAILABLE', message: /search entries: 429/ },
    { code: 'CMS_UNAUTHORIZED', message: /read entry: 401/ },
    { code: 'CMS_UNAVAILABLE', message: /update entry: timeout of 500ms/ },
    { code: 'CMS_UNAVAILABLE', message: /publish entry: 503/ }
  ])
  t.match(of('to-sanity'), [
    { code: 'CMS_UNAUTHORIZED', message: /search documents: 401/ },
    { code: 'CMS_UNAVAILABLE', message: /update document: / },
    { code: 'CMS_UNAVAILABLE', message: /update document: .*timed? ?out/i },
    { code: 'CMS_UNAVAILABLE', message: /update document: 429/ },
    { code: 'CMS_UNAVAILABLE', message: /update document: 503/ }
  ])
})

t.test('a deleted asset is removed or reported', async (t) => {
  person.destroy('shop/purse')
  await atRest()
  t.match(heroes('a'), { contentful: [], sanity: { public_id: 'shop/purse' } })
  t.match(notes().slice(-2).toSorted(), [
    'contentful: removed, published a',
    'sanity: deleted, but still in a'
  ])
  t.match(
    lines.filter(({ code }) => code === 'DELETED_ASSET_IN_CMS'),
    [{ processor: 'to-sanity', entries: ['a'] }]
  )
})

t.test('log, journal and dead letters contain no token', async (t) => {
  const client = createDynamoDbClient(1)
  t.teardown(() => client.destroy())
  const { Items } = await client.send(new ScanCommand({ TableName: environment.JOURNAL_TABLE }))
  const letters = sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready
  t.strictSame(letters, [])
  t.notMatch(JSON.stringify([lines, Items]), /local-(?:contentful|sanity)-token/)
})
