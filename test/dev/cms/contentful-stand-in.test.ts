import { createClient } from 'contentful-management'
import t from 'tap'
import { ContentfulStandIn } from '../../../dev/cms/contentful-stand-in.ts'
import { buildCms } from '../../support/cms.ts'

const { url, contentful: standIn } = await buildCms(t)
const { hostname, port } = new URL(url)
const clientWith = (accessToken: string) =>
  createClient(
    {
      accessToken,
      host: `${hostname}:${port}`,
      basePath: '/contentful',
      insecure: true,
      retryOnError: false,
      logHandler: () => {}
    },
    { type: 'plain', defaults: { spaceId: 'local', environmentId: 'master' } }
  )
const client = clientWith('local-contentful-token')
const at = { entryId: 'welcome' }

t.test('an update needs the current version, and a publication increases it', async (t) => {
  const entry = await client.entry.get(at)
  t.match(entry.sys, { version: 2, publishedVersion: 1 })
  const updated = await client.entry.update(at, { ...entry, fields: { title: { 'en-US': 'Hello' } } })
  t.match(updated, { sys: { version: 3, publishedVersion: 1 }, fields: { title: { 'en-US': 'Hello' } } })
  await t.rejects(client.entry.update(at, entry), { name: 'VersionMismatch', message: /"status": 409/ })
  await t.rejects(client.entry.publish(at, entry), { name: 'VersionMismatch' })
  t.match(await client.entry.publish(at, updated), { sys: { version: 4, publishedVersion: 3 } })
})

t.test('answers errors in their documented form', async (t) => {
  await t.rejects(client.entry.get({ entryId: 'nope' }), { name: 'NotFound', message: /"status": 404/ })
  await t.rejects(clientWith('wrong').entry.get(at), { name: 'AccessTokenInvalid', message: /"status": 401/ })
  for (const [status, name] of [
    [429, 'RateLimitExceeded'],
    [502, 'ServerError']
  ] as const) {
    standIn.faults.add({ status })
    await t.rejects(client.entry.get(at), { name })
  }
  standIn.faults.add({
    run: () => {
      throw new Error('broken')
    }
  })
  await t.rejects(client.entry.get(at), { name: 'ServerError' })
  standIn.faults.add({ kind: 'reset' })
  await t.rejects(client.entry.get(at))
})

t.test('searches by type and time, with the selected fields, page by page', async (t) => {
  let now = Date.parse('2026-06-01T12:00:00.000Z')
  const other = new ContentfulStandIn({ token: 'x', contentTypes: {}, clock: () => now })
  t.equal(other.create('a', 'page', {}, { published: false }).sys.updatedAt, '2026-06-01T12:00:00.000Z')
  now += 1000
  t.equal(other.edit('a', { title: { de: 'A' } }).sys.updatedAt, '2026-06-01T12:00:01.000Z')
  for (const id of ['b', 'a', 'c']) standIn.create(id, 'page', { title: { de: id }, text: {} })
  const found = async (query: object) => {
    const { items } = await client.entry.getMany({ query: { content_type: 'page', ...query } })
    return items.map(({ sys, fields }) => [sys.id, ...Object.keys(fields)])
  }
  t.strictSame(await found({ select: 'sys,fields.title' }), [
    ['a', 'title'],
    ['b', 'title'],
    ['c', 'title']
  ])
  t.strictSame(await found({ limit: 1, skip: 1 }), [['b', 'title', 'text']])
  t.strictSame(await found({ 'sys.updatedAt[gte]': '2999-01-01T00:00:00.000Z' }), [])
  standIn.delete('a')
  t.strictSame(await found({ skip: 1 }), [['c', 'title', 'text']])
})

t.test('lists content types', async (t) => {
  t.match(await client.contentType.getMany({}), {
    items: [
      {
        sys: { id: 'article' },
        fields: [{ id: 'title', type: 'Symbol' }, { id: 'hero', type: 'Object' }, {}]
      }
    ]
  })
})

t.test('refuses a page that is too large', async (t) => {
  const { maximumBytes } = standIn
  standIn.maximumBytes = 10
  t.teardown(() => Object.assign(standIn, { maximumBytes }))
  await t.rejects(client.entry.getMany({ query: { content_type: 'article' } }), {
    name: 'BadRequest',
    message: /Response size too big\. Maximum allowed response size: 10B/
  })
})
