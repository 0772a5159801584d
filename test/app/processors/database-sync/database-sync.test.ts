import t, { type Test } from 'tap'
import type { Config } from '../../../../app/config.ts'
import type { AssetEvent, EventType, ProcessorContext, StartContext } from '../../../../app/listener.ts'
import { databaseSync } from '../../../../app/processors/database-sync/database-sync.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import type { Asset, Kind } from '../../../../dev/cloudinary/asset-store.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { sampleEvent } from '../../../support/events.ts'
import { collect, QUIET } from '../../../support/operator.ts'
import { buildPostgres } from '../../../support/postgres.ts'

const { postgres, database } = await buildPostgres(t)
const context = { config: { DATABASE_URL: postgres.url } as Config, log: QUIET } satisfies StartContext

/** Whether the processor handles an event. */
function wants(event: AssetEvent): boolean {
  const { on, when } = databaseSync()
  return on.includes(event.type) && when!(event)
}

t.test('handles changes, including own ones', async (t) => {
  const types: EventType[] = ['upload', 'rename', 'delete', 'move', 'resource_metadata_changed']
  for (const type of types) t.ok(wants(sampleEvent(type)), type)
  for (const type of ['eager', 'create_folder', 'report'] as const) t.notOk(wants(sampleEvent(type)), type)
  t.equal(databaseSync().ownChanges, true)
  t.strictSame(databaseSync().requires, ['DATABASE_URL'])
})

t.test('skips delivery types that Cloudinary does not store', async (t) => {
  const event = sampleEvent('upload')
  const of = (deliveryType: string) => ({ ...event, asset: { ...event.asset, deliveryType } })
  for (const type of ['upload', 'private', 'authenticated']) t.ok(wants(of(type)), type)
  for (const type of ['fetch', 'facebook', 'list']) t.notOk(wants(of(type)), type)
  t.ok(wants({ ...event, asset: { publicId: 'of older notifications' } }))
  t.notOk(wants({ ...event, asset: null }))
})

t.test('rejects invalid options', async (t) => {
  const refused: [unknown, RegExp][] = [
    [{ table: 'drop table' }, /databaseSync: table: must be 1 to 63 lower-case/],
    [{ table: 'x'.repeat(49) }, /table: must be at most 48/],
    [{ schema: 'Public' }, /schema: must be/],
    [{ columns: { observed_at: 'etag' } }, /columns\.observed_at: /],
    [{ tables: 'assets' }, /Unrecognized key/]
  ]
  for (const [options, message] of refused) {
    t.throws(() => databaseSync(options as never), { code: 'LISTENER_CONFIG_INVALID', message })
  }
})

t.test('starts with a migrated table, writes rows, and stops', async (t) => {
  const processor = databaseSync({ table: 'assets', columns: { cms_id: 'metadata.cms_id', etag: 'etag' } })
  await t.rejects(async () => processor.start!(context), {
    code: 'DATABASE_NOT_MIGRATED',
    message: /: table "assets" .*\. Run: (npx )?node app\/main\.ts migrate$/
  })
  await processor.stop!()

  const { lines, print } = collect()
  await processor.migrate!({ ...context, print, dryRun: true })
  t.match(lines, [/^would run: CREATE TABLE/, /^would run: CREATE INDEX/])
  const check = async () => processor.check!({ ...context, signal: new AbortController().signal })
  await t.rejects(check(), { code: 'DATABASE_NOT_MIGRATED' })
  await processor.migrate!({ ...context, print, dryRun: false })
  t.match(await check(), [{ level: 'ok', message: /"assets"/ }])
  t.match(lines.slice(2), ['created table "assets" with 22 columns', /^created index/])

  await processor.start!(context)
  const { cloudinary, clients } = await buildCloudinary(t)
  const { signal } = new AbortController()
  const bag = cloudinary.assets.find('bag')!
  const event = sampleEvent('upload', {}, { asset_id: bag.assetId, public_id: 'bag' })
  const { state } = memoryState()
  const note = await processor.handle(event, {
    ...context,
    cloudinary: clients.for('demo', signal),
    signal,
    state
  } satisfies ProcessorContext)
  t.equal(note, 'row inserted')
  t.match(await database.query('look', 'SELECT * FROM assets'), [
    {
      asset_id: bag.assetId,
      environment: 'demo',
      public_id: 'bag',
      tags: ['leather'],
      cms_id: null,
      etag: bag.etag
    }
  ])
  await processor.stop!()
  await t.rejects(
    async () =>
      processor.handle(event, { ...context, cloudinary: clients.for('demo', signal), signal, state }),
    {
      code: 'DATABASE_UNAVAILABLE'
    }
  )
})

/** Starts the processor with a stand-in for Cloudinary and an empty table. */
async function start(t: Test) {
  const table = 'kinds'
  const processor = databaseSync({ table })
  await processor.migrate!({ ...context, ...collect(), dryRun: false })
  await processor.start!(context)
  const { cloudinary, clients } = await buildCloudinary(t)
  const { signal } = new AbortController()
  const { state } = memoryState()
  t.teardown(async () => {
    await processor.stop!()
    await database.query('drop', `DROP TABLE ${table}`)
  })
  return {
    cloudinary,
    lookUps: () => cloudinary.calls.filter(({ action }) => action === 'resource_by_asset_id').length,
    handle: async (event: AssetEvent) =>
      processor.handle(event, { ...context, cloudinary: clients.for('demo', signal), signal, state }),
    upload: (publicId: string, kind: Kind) =>
      cloudinary.as().upload({ publicId, ...kind, media: { resourceType: kind.resourceType } }).asset,
    uploaded: ({ assetId, publicId, resourceType, type }: Asset) =>
      sampleEvent(
        'upload',
        { assetId, publicId },
        { resource_type: resourceType, type, version: Math.floor(Math.random() * 1e9) }
      ),
    rows: async () => {
      const sql = `SELECT public_id, resource_type, type, tags FROM ${table} ORDER BY public_id, resource_type`
      const rows = await database.query('look', sql)
      return rows.map(({ public_id, resource_type, type, tags }) =>
        [public_id, resource_type, type, ...(tags as string[])].join(' ')
      )
    }
  }
}

const VIDEO = { resourceType: 'video', type: 'upload' } as const
const IMAGE = { resourceType: 'image', type: 'upload' } as const

t.test('keeps the row of a video after a rename without a kind', async (t) => {
  const { cloudinary, handle, upload, uploaded, rows, lookUps } = await start(t)
  const [clip, image] = [upload('clip', VIDEO), upload('clip', IMAGE)]
  await handle(uploaded(clip))
  await handle(uploaded(image))
  cloudinary.ui().rename('clip', 'clip-renamed', VIDEO)
  const about = { assetId: clip.assetId, publicId: 'clip' }
  t.equal(await handle(sampleEvent('rename', { ...about, variant: 'without-kind' })), 'row updated')
  t.strictSame(await rows(), ['clip image upload', 'clip-renamed video upload'])
  t.equal(lookUps(), 1)
})

t.test('removes a row overwritten by a rename without a kind', async (t) => {
  const { cloudinary, handle, upload, uploaded, rows } = await start(t)
  const [clip, overwritten] = [upload('clip', VIDEO), upload('clip-renamed', VIDEO)]
  await handle(uploaded(clip))
  await handle(uploaded(overwritten))
  cloudinary.ui().rename('clip', 'clip-renamed', { ...VIDEO, overwrite: true })
  cloudinary.ui().rename('clip-renamed', 'elsewhere', VIDEO)
  await handle(sampleEvent('rename', { assetId: clip.assetId, publicId: 'clip', variant: 'without-kind' }))
  t.strictSame(await rows(), [], 'returns with the last rename')
  const last = { from_public_id: 'clip-renamed', to_public_id: 'elsewhere' }
  await handle(sampleEvent('rename', { assetId: clip.assetId, variant: 'without-kind' }, last))
  t.strictSame(await rows(), ['elsewhere video upload'])
})

t.test('deletes by asset id without a look-up if the kind is missing', async (t) => {
  const { cloudinary, handle, upload, uploaded, rows, lookUps } = await start(t)
  const [clip, image] = [upload('clip', VIDEO), upload('clip', IMAGE)]
  await handle(uploaded(clip))
  await handle(uploaded(image))
  cloudinary.ui().destroy('clip', VIDEO)
  const about = { assetId: clip.assetId, publicId: 'clip' }
  t.equal(await handle(sampleEvent('delete', { ...about, variant: 'without-kind' })), 'row removed')
  t.strictSame(await rows(), ['clip image upload'])
  const alive = { assetId: image.assetId, publicId: 'clip' }
  t.equal(await handle(sampleEvent('delete', { ...alive, variant: 'without-kind' })), 'row updated')
  t.equal(lookUps(), 0)
})

t.test('throws without changes if kind and asset id are missing', async (t) => {
  const { handle, upload, uploaded, rows, lookUps, cloudinary } = await start(t)
  const image = upload('clip', IMAGE)
  await handle(uploaded(image))
  cloudinary.ui().destroy('clip', IMAGE)
  for (const event of [
    sampleEvent('delete', { publicId: 'clip', variant: 'by-public-id' }),
    sampleEvent(
      'rename',
      { publicId: 'other', variant: 'without-kind' },
      { asset_id: null, to_public_id: 'clip' }
    )
  ]) {
    await t.rejects(handle(event), { code: 'ASSET_KIND_UNKNOWN', failure: { kind: 'permanent' } })
  }
  t.strictSame(await rows(), ['clip image upload'])
  t.equal(lookUps(), 0)
})

t.test('updates the row of an authenticated image after moderation', async (t) => {
  const { cloudinary, handle, upload, uploaded, rows } = await start(t)
  const kind = { resourceType: 'image', type: 'authenticated' } as const
  await handle(uploaded(upload('bag', kind)))
  cloudinary.ui().addTags('bag', ['reviewed'], kind)
  const secure_url = 'https://res.cloudinary.com/demo/image/authenticated/s--AbCd1234--/v1/bag.jpg'
  const options = { publicId: 'bag', variant: 'without-asset-id' }
  t.equal(await handle(sampleEvent('moderation', options, { secure_url })), 'row updated')
  t.strictSame(await rows(), ['bag image authenticated reviewed'])
})

t.test('removes the row of a deleted asset on an earlier change', async (t) => {
  const { cloudinary, handle, upload, uploaded, rows } = await start(t)
  const clip = upload('clip', VIDEO)
  await handle(uploaded(clip))
  cloudinary.ui().destroy('clip', VIDEO)
  const event = sampleEvent('rename', { assetId: clip.assetId, publicId: 'x', variant: 'without-kind' })
  t.equal(await handle(event), 'row removed')
  t.strictSame(await rows(), [])
})

t.test('skips an asset of a type that turns out not to be stored', async (t) => {
  const { cloudinary, handle, upload } = await start(t)
  const { assetId } = upload('http://example.com/x.jpg', { resourceType: 'image', type: 'fetch' })
  const event = sampleEvent('moderation', { assetId, publicId: 'x' }, { secure_url: null, url: null })
  t.match(await handle(event), /^skipped: .* fetch$/)
  t.equal(cloudinary.calls.filter(({ action }) => action === 'explicit').length, 0)
})
