import t from 'tap'
import { readConfig } from '../../app/config.ts'
import { migrate } from '../../app/operator/migrate.ts'
import type { Changes } from '../../dev/cloudinary/server.ts'
import { everyProcessor } from '../../dev/every-processor.config.ts'
import { startPostgres } from '../../dev/postgres.ts'
import { publishedMessages } from '../../dev/sns.ts'
import { buildListener } from '../support/listener.ts'
import { QUIET } from '../support/operator.ts'

const IMAGES = 200
const VIDEOS = 30
const LARGE_BYTES = 57_200_000

const postgres = await startPostgres()
t.teardown(() => postgres.stop())
const system = await buildListener(
  t,
  async ({ cloudinary }) => {
    const processors = everyProcessor(`${cloudinary.url}/_standin/received`)
    const config = readConfig([], postgres.environment)
    await migrate({ listener: { processors }, config, log: QUIET, print: () => {}, dryRun: false })
    return processors
  },
  { environment: postgres.environment }
)
const { cloudinary, sqs, atRest, lines } = system

/** What people and other systems do: 500 changes, each of which is one notification. */
function makeChanges(colleague: Changes, editor: Changes): void {
  for (let index = 0; index < IMAGES; index++) {
    // every other one carries what the agency's CMS asks for
    const metadata = index % 2 === 0 ? { cms_id: `article-${index}` } : {}
    colleague.upload({ publicId: `image-${index}`, metadata, tags: ['new'], context: { alt: 'An image' } })
  }
  for (let index = 0; index < VIDEOS; index++) {
    const bytes = index % 2 === 0 ? LARGE_BYTES : 2_000_000
    colleague.upload({ publicId: `video-${index}`, resourceType: 'video', media: { format: 'mp4', bytes } })
  }
  for (let index = 0; index < 60; index++) {
    editor.addTags(`image-${index}`, ['reviewed'])
    editor.setMetadata(`image-${index}`, { cms_id: `article-${index}-b` })
    editor.changeContext(`image-${index}`, () => ({ alt: 'An image, described' }))
  }
  for (let index = 60; index < 100; index++) editor.rename(`image-${index}`, `renamed-${index}`)
  for (let index = 100; index < 148; index++) editor.destroy(`image-${index}`)
  for (let index = 0; index < 2; index++) {
    const rows = Array.from(
      { length: 10 },
      (_, row) => `add_tags,image-${150 + index * 10 + row},"bulk, sale"`
    )
    const content = ['operation,public_id,tags', ...rows].join('\n')
    colleague.upload({ publicId: `bulk/${index}.csv`, resourceType: 'raw', content })
  }
}

const CHANGES = IMAGES + VIDEOS + 3 * 60 + 40 + 48 + 2

t.test('all processors on together come to rest after 500 changes, and none sets off another', async (t) => {
  makeChanges(cloudinary.as(), cloudinary.ui())
  await atRest()
  t.equal(CHANGES, 500)

  const processed = lines.filter(({ msg }) => msg === 'event processed')
  const failed = lines.filter(({ level }) => Number(level) >= 50)
  t.strictSame(failed, [])
  const ownKey = cloudinary.cloud().own.apiKey
  const notified = cloudinary.deliveries.map(({ body }) => JSON.parse(body))
  const own = notified.filter(({ notification_context: { triggered_by } }) => triggered_by.id === ownKey)
  t.equal(notified.length - own.length, CHANGES)

  // Of what the listener itself caused, one processor takes note, and it writes nothing to Cloudinary; and `eager` answers.
  const types = new Set(
    processed.filter(({ processor }) => processor !== 'database-sync').map(({ type }) => type)
  )
  t.ok(types.has('eager'))
  const writes = cloudinary.calls.filter(({ action, params }) => action !== 'explicit' || params.eager)
  t.ok(own.length <= writes.length, `${own.length} own notifications of ${writes.length} writes`)

  // Each write is a processor's answer to a change that somebody else made: at most so many for each, as documented.
  const perUpload = { tag: 1, stamp: 1, transformations: 2, size: 1 }
  const bound =
    IMAGES * (perUpload.tag + perUpload.stamp) +
    VIDEOS * (perUpload.tag + perUpload.transformations + perUpload.size) +
    (3 * 60 + 40) * perUpload.stamp +
    // a tag on the file itself and on its report, ten rows, and the report
    2 * (2 + 10 + 1)
  t.ok(writes.length <= bound, `${writes.length} writes of at most ${bound}`)
  const perEvent = cloudinary.calls.length / notified.length
  t.ok(perEvent <= 4, `${perEvent.toFixed(2)} calls for each notification`)

  const before = { calls: cloudinary.calls.length, deliveries: cloudinary.deliveries.length }
  await atRest()
  t.strictSame({ calls: cloudinary.calls.length, deliveries: cloudinary.deliveries.length }, before)
})

t.test('each has done its work', async (t) => {
  const assets = cloudinary.assets.all()
  for (const { publicId, tags } of assets.filter(({ publicId }) => !/csv$/.test(publicId))) {
    t.ok(tags.includes('Hello World!'), publicId)
  }
  for (const { publicId, metadata } of assets.filter(({ metadata }) => metadata.cms_id)) {
    t.match(metadata.last_update_timestamp, /^\d{4}-/, publicId)
  }
  for (const { publicId, metadata } of assets.filter(({ metadata }) => !metadata.cms_id)) {
    t.notOk(metadata.last_update_timestamp, publicId)
  }
  for (const { publicId, derived, tags } of assets.filter(({ resourceType }) => resourceType === 'video')) {
    t.equal(derived.length, 2, publicId)
    t.ok(tags.includes('large-video') || tags.includes('small-video'), publicId)
  }
  t.strictSame(cloudinary.assets.find('image-155')?.tags.sort(), ['Hello World!', 'bulk', 'new', 'sale'])
  t.match(String(cloudinary.assets.find('bulk/0.report.csv', { resourceType: 'raw' })?.content), /,ok,/)

  const { rows } = await postgres.db.query<Record<string, unknown>>(
    'SELECT public_id, resource_type, tags, metadata, context FROM cloudinary_assets'
  )
  t.strictSame(
    rows.map((row) => ({ ...row, tags: (row.tags as string[]).toSorted() })).sort(byName),
    assets
      .map(({ publicId, resourceType, tags, metadata, context }) => ({
        public_id: publicId,
        resource_type: resourceType,
        tags: tags.toSorted(),
        metadata,
        context
      }))
      .sort(byName)
  )

  const uploads = cloudinary.deliveries.filter(({ notificationType }) => notificationType === 'upload')
  const received = (await (await fetch(`${cloudinary.url}/_standin/received`)).json()) as object[]
  // those of the reports are own changes
  const others = uploads.length - 2
  t.equal(received.length, others)
  t.match(
    received,
    Array.from({ length: others }, () => ({ verified: true, repeated: false }))
  )
  t.equal(publishedMessages(sqs.server).length, others)
})

const byName = (a: Record<string, unknown>, b: Record<string, unknown>) =>
  `${a.resource_type}/${a.public_id}` < `${b.resource_type}/${b.public_id}` ? -1 : 1
