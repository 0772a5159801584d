import t from 'tap'
import { migrate } from '../../app/commands/migrate.ts'
import { readConfig } from '../../app/config.ts'
import { examplesOf } from '../../app/listener-config/requirements.ts'
import type { AssetEditor } from '../../dev/cloudinary/cloudinary-server.ts'
import { startPostgres } from '../../dev/embedded-postgres.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../dev/embedded-sqs.ts'
import { everyProcessor } from '../../dev/every-processor.config.ts'
import { publishedMessages } from '../../dev/sns.ts'
import { buildListener } from '../support/listener.ts'
import { QUIET } from '../support/operator.ts'

/**
 * Minimum number of notifications, including those of the listener's own changes. `npm run test:loops` uses
 * 500. With fewer than 70, the rows are about deleted images.
 */
const EVENTS = Number(process.env.EVENTS || 70)

/** Scales a count that is given for 500 events. */
const share = (of500: number) => Math.ceil((of500 * EVENTS) / 500)

const IMAGES = share(90)
const VIDEOS = share(14)
/** The first images are edited, the next ones renamed, the next ones deleted. */
const EDITED = share(46)
const RENAMED = share(10)
const DELETED = share(10)
/** Rows in each of the two CSV files, about the last images. */
const ROWS = share(10)
const LARGE_BYTES = 57_200_000

const postgres = await startPostgres()
t.teardown(() => postgres.stop())
const system = await buildListener(
  t,
  async ({ cloudinary }) => {
    const processors = everyProcessor(`${cloudinary.url}/_standin/received`)
    const config = readConfig([], postgres.environment)
    const requires = processors.flatMap((processor) => processor.requires ?? [])
    Object.assign(process.env, examplesOf(requires), {
      CHAT_WEBHOOK_URL: `${cloudinary.url}/_standin/chat`,
      CONTENTFUL_URL: `${cloudinary.url}/_standin/contentful`,
      SANITY_URL: `${cloudinary.url}/_standin/sanity`
    })
    await migrate({ listener: { processors }, config, log: QUIET, print: () => {}, dryRun: false })
    return processors
  },
  // low, because the embedded services share a thread with the roles
  {
    environment: { ...postgres.environment, WORKER_CONCURRENCY: '10' },
    cloudinary: { deliveryConcurrency: 16 }
  }
)
const { cloudinary, sqs, atRest } = system

/** Makes the changes of people and other systems; each causes one notification. */
function makeChanges(colleague: AssetEditor, editor: AssetEditor): void {
  for (let index = 0; index < IMAGES; index++) {
    // every other image has the metadata that `lastUpdateTimestamp` requires
    const metadata = index % 2 === 0 ? { cms_id: `article-${index}` } : {}
    colleague.upload({ publicId: `image-${index}`, metadata, tags: ['new'], context: { alt: 'An image' } })
  }
  for (let index = 0; index < VIDEOS; index++) {
    const bytes = index % 2 === 0 ? LARGE_BYTES : 2_000_000
    colleague.upload({ publicId: `video-${index}`, resourceType: 'video', media: { format: 'mp4', bytes } })
  }
  for (let index = 0; index < EDITED; index++) {
    editor.addTags(`image-${index}`, ['reviewed'])
    editor.setMetadata(`image-${index}`, { cms_id: `article-${index}-b` })
    editor.changeContext(`image-${index}`, () => ({ alt: 'An image, described' }))
  }
  for (let index = EDITED; index < EDITED + RENAMED; index++)
    editor.rename(`image-${index}`, `renamed-${index}`)
  for (let index = EDITED + RENAMED; index < EDITED + RENAMED + DELETED; index++)
    editor.destroy(`image-${index}`)
  for (let index = 0; index < 2; index++) {
    const rows = Array.from({ length: ROWS }, (_, row) => `add_tags,image-${IMAGES - 1 - row},"bulk, sale"`)
    const content = ['operation,public_id,tags', ...rows].join('\n')
    colleague.upload({ publicId: `bulk/${index}.csv`, resourceType: 'raw', content })
  }
}

const CHANGES = IMAGES + VIDEOS + 3 * EDITED + RENAMED + DELETED + 2

t.test(
  `all processors together come to rest after ${EVENTS} events, and none triggers another`,
  async (t) => {
    makeChanges(cloudinary.as(), cloudinary.ui())
    await atRest()

    t.strictSame(sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready, [])
    const ownKey = cloudinary.cloud().own.apiKey
    const notified = cloudinary.deliveries
      .filter(({ attempt }) => attempt === 1)
      .map(({ body }) => JSON.parse(body))
    const own = notified.filter(({ notification_context: { triggered_by } }) => triggered_by.id === ownKey)
    t.equal(notified.length - own.length, CHANGES)
    t.ok(notified.length >= EVENTS, `${notified.length} events`)

    // only `databaseSync` and `cmsWriteBack` handle own changes, and they write nothing to Cloudinary
    const writes = cloudinary.calls.filter(({ action, params }) => action !== 'explicit' || params.eager)
    t.ok(own.length <= writes.length, `${own.length} own notifications of ${writes.length} writes`)

    // documented maximum of writes for each change by somebody else
    const perUpload = { tag: 1, stamp: 1, transformations: 2, size: 1 }
    const bound =
      IMAGES * (perUpload.tag + perUpload.stamp) +
      VIDEOS * (perUpload.tag + perUpload.transformations + perUpload.size) +
      (3 * EDITED + RENAMED) * perUpload.stamp +
      // a tag on the file and on its report, the rows, and the report
      2 * (2 + ROWS + 1)
    t.ok(writes.length <= bound, `${writes.length} writes of at most ${bound}`)
    const perEvent = cloudinary.calls.length / notified.length
    t.ok(perEvent <= 4, `${perEvent.toFixed(2)} calls for each notification`)
    t.comment(
      `${notified.length} notifications of ${CHANGES} changes; ${cloudinary.calls.length} calls, ${writes.length} of them ` +
        `writes: ${perEvent.toFixed(2)} for each notification, ${(cloudinary.calls.length / CHANGES).toFixed(2)} for each change`
    )

    const before = { calls: cloudinary.calls.length, deliveries: cloudinary.deliveries.length }
    await atRest()
    t.strictSame({ calls: cloudinary.calls.length, deliveries: cloudinary.deliveries.length }, before)
  }
)

t.test('each processor has done its work', async (t) => {
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
  t.strictSame(cloudinary.assets.find(`image-${IMAGES - 1}`)?.tags.toSorted(), [
    'Hello World!',
    'bulk',
    'new',
    'sale'
  ])
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

  // without reports, which are own changes
  const uploads = IMAGES + VIDEOS + 2
  const response = await fetch(`${cloudinary.url}/_standin/received`)
  const received = (await response.json()) as { id: string; verified: boolean }[]
  t.equal(new Set(received.filter(({ verified }) => verified).map(({ id }) => id)).size, uploads)
  t.equal(new Set(publishedMessages(sqs.server).map(({ text }) => text)).size, uploads)
})

const byName = (a: Record<string, unknown>, b: Record<string, unknown>) =>
  `${a.resource_type}/${a.public_id}` < `${b.resource_type}/${b.public_id}` ? -1 : 1
