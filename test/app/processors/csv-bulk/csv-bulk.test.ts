import { parse } from 'csv-parse/sync'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { AssetEvent } from '../../../../app/ingest/event.ts'
import {
  type CsvBulkOptions,
  type CsvBulkTools,
  csvBulk
} from '../../../../app/processors/csv-bulk/csv-bulk.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { DEFAULT_CONFIG } from '../../../support/config.ts'
import { sampleEvent } from '../../../support/events.ts'

const OPTIONS = { folder: 'bulk', operations: ['add_tags'] } satisfies CsvBulkOptions
const RAW = { resourceType: 'raw' }
const log = pino({ level: 'silent' })

/** Returns the event of an upload. */
const uploaded = (publicId: string, { kind = 'raw', ...change }: Record<string, unknown> = {}): AssetEvent =>
  sampleEvent(
    'upload',
    {},
    { public_id: publicId, resource_type: kind, asset_folder: '', etag: null, ...change }
  )

async function start(t: Test, options: Partial<CsvBulkOptions> = {}, tools: CsvBulkTools = {}) {
  const { cloudinary, clients } = await buildCloudinary(t)
  const { state, entries } = memoryState()
  const processor = csvBulk({ ...OPTIONS, ...options }, tools)
  const abort = new AbortController()
  const handle = async (event: AssetEvent) =>
    processor.handle(event, {
      cloudinary: clients.for('demo', abort.signal),
      config: DEFAULT_CONFIG,
      log,
      signal: abort.signal,
      state
    })
  const upload = (publicId: string, content: string, more = {}) =>
    cloudinary.as().upload({ publicId, ...RAW, content, ...more }).asset
  return { cloudinary, processor, abort, entries, handle, upload }
}

t.test('handles CSV files in the folder, by public id or asset folder', async (t) => {
  const { processor } = await start(t)
  const wants = (event: AssetEvent) => processor.when!(event)
  t.strictSame(processor.on, ['upload'])
  t.ok(wants(uploaded('bulk/june.csv')))
  t.ok(wants(uploaded('bulk/2026/JUNE.CSV')))
  t.ok(wants(uploaded('june.csv', { asset_folder: 'bulk' })))
  t.ok(wants(uploaded('june.csv', { asset_folder: 'bulk/2026' })))
  t.notOk(wants(uploaded('june.csv')))
  t.notOk(wants(uploaded('bulky/june.csv')))
  t.notOk(wants(uploaded('june.csv', { asset_folder: 'bulky' })))
  t.notOk(wants(uploaded('bulk/june.txt')))
  t.notOk(wants(uploaded('bulk/june.csv', { kind: 'image' })))
  t.notOk(wants(uploaded('bulk/june.report.csv')), 'does not run a report')
  t.ok(wants({ ...uploaded('bulk/june.csv'), asset: { publicId: 'bulk/june.csv' } }), 'looks up the kind')
  t.notOk(wants({ ...uploaded('bulk/june.csv'), asset: null }))
  t.notOk(wants({ ...uploaded('bulk/june.csv'), asset: { resourceType: 'raw' } }))
})

t.test('looks up an asset whose kind is not stated', async (t) => {
  const { cloudinary, handle, upload } = await start(t)
  const content = 'operation,public_id,tags\nadd_tags,bag,x\n'
  const kind = { type: 'private' }
  const { assetId, version } = upload('bulk/june.csv', content, kind)
  const event = uploaded('bulk/june.csv')
  const asset = { assetId, publicId: 'bulk/june.csv', version }
  t.match(await handle({ ...event, asset }), /^1 rows: 1 ok/)
  t.ok(cloudinary.assets.find('bulk/june.report.csv', { ...RAW, ...kind }))
  const bag = cloudinary.assets.find('bag')!
  t.equal(await handle({ ...event, asset: { ...asset, assetId: bag.assetId } }), 'skipped: not a raw asset')
  const { assetId: _, ...unknown } = asset
  await t.rejects(handle({ ...event, asset: unknown }), { code: 'ASSET_KIND_UNKNOWN' })
})

t.test('validates options and applies defaults', async (t) => {
  const { processor } = await start(t)
  t.match(processor, { name: 'csv-bulk', timeoutSeconds: 21_600 })
  t.match(csvBulk({ ...OPTIONS, name: 'x', timeoutSeconds: 60 }), { name: 'x', timeoutSeconds: 60 })
  for (const wrong of [
    { folder: '/bulk' },
    { folder: 'bulk/' },
    { folder: '' },
    { operations: [] },
    { operations: ['explode' as 'delete'] },
    { concurrency: 0 },
    { timeoutSeconds: 5 }
  ] satisfies Partial<CsvBulkOptions>[]) {
    t.throws(
      () => csvBulk({ ...OPTIONS, ...wrong }),
      { code: 'LISTENER_CONFIG_INVALID' },
      JSON.stringify(wrong)
    )
  }
})

t.test('runs the file and uploads the report beside it', async (t) => {
  const { cloudinary, handle, upload } = await start(t)
  const { version, etag } = upload('bulk/june.csv', 'operation,public_id,tags\nadd_tags,bag,x\ndelete,bag,', {
    type: 'private',
    assetFolder: 'campaigns'
  })
  const note = await handle(
    uploaded('bulk/june.csv', { type: 'private', version, etag, asset_folder: 'campaigns' })
  )
  t.equal(note, '2 rows: 1 ok, 0 already done, 1 failed; report: bulk/june.report.csv')
  t.ok(cloudinary.assets.find('bag')?.tags.includes('x'))
  const report = cloudinary.assets.find('bulk/june.report.csv', { ...RAW, type: 'private' })
  t.equal(report?.assetFolder, 'campaigns')
  t.match(parse(report!.content!, { columns: true }), [{ outcome: 'ok' }, { outcome: 'failed' }])
})

t.test('runs with only the required fields of a notification', async (t) => {
  const { handle, upload } = await start(t)
  upload('bulk/june.csv', 'operation,public_id,tags\nadd_tags,bag,x')
  const event = uploaded('bulk/june.csv')
  const note = await handle({
    ...event,
    asset: { publicId: 'bulk/june.csv', resourceType: 'raw', deliveryType: 'upload' },
    payload: {}
  })
  t.match(note, /^1 rows: 1 ok/)
})

t.test('resumes on redrive and starts over on replay', async (t) => {
  const { cloudinary, handle, upload } = await start(t)
  const { version } = upload('bulk/june.csv', 'operation,public_id,tags\nadd_tags,bag,x')
  const event = uploaded('bulk/june.csv', { version })
  const tags = () => cloudinary.calls.filter(({ action }) => action === 'tags').length
  await handle(event)
  await handle({ ...event, run: { kind: 'redrive', id: 'r1' } })
  t.equal(tags(), 1)
  await handle({ ...event, run: { kind: 'replay', id: 'r2' } })
  await handle({ ...event, run: { kind: 'replay', id: 'r2' } })
  t.equal(tags(), 2)
  await handle({ ...event, run: { kind: 'redrive', id: 'r3', replay: 'r2' } })
  t.equal(tags(), 2, 'all done in that replay')
  await handle({ ...event, run: { kind: 'redrive', id: 'r3', replay: 'r1' } })
  t.equal(tags(), 3, 'nothing done in that replay')
})

t.test('pauses between retries until aborted', async (t) => {
  const pauses: number[] = []
  const sleep = async (milliseconds: number) => void pauses.push(milliseconds)
  const given = await start(t, {}, { sleep, random: () => 0, clock: () => 0 })
  given.cloudinary.faults.add({ kind: 'status', status: 500, action: 'tags', count: 1 })
  const { version } = given.upload('bulk/june.csv', 'operation,public_id,tags\nadd_tags,bag,x')
  t.match(await given.handle(uploaded('bulk/june.csv', { version })), /^1 rows: 1 ok/)
  t.strictSame(pauses, [2000])

  const asleep = Promise.withResolvers<void>()
  const random = () => {
    asleep.resolve()
    return 0
  }
  const { cloudinary, abort, handle, upload } = await start(t, {}, { random })
  cloudinary.faults.add({ kind: 'status', status: 500, action: 'tags' })
  const again = upload('bulk/june.csv', 'operation,public_id,tags\nadd_tags,bag,x')
  const ended = handle(uploaded('bulk/june.csv', { version: again.version }))
  await asleep.promise
  abort.abort()
  await t.rejects(Promise.resolve(ended), { name: 'AbortError' })
})
