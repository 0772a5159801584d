import t from 'tap'
import type { Config } from '../../../../app/config.ts'
import type { AssetEvent, EventType, ProcessorContext, StartContext } from '../../../../app/listener.ts'
import { databaseSync } from '../../../../app/processors/database-sync/database-sync.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { sampleEvent } from '../../../support/events.ts'
import { collect, QUIET } from '../../../support/operator.ts'
import { buildPostgres } from '../../../support/postgres.ts'
import { memoryState } from '../../../support/state.ts'

const { postgres, database } = await buildPostgres(t)
const context = { config: { DATABASE_URL: postgres.url } as Config, log: QUIET } satisfies StartContext

/** Whether the processor would be run for an event. */
function wants(event: AssetEvent): boolean {
  const { on, when } = databaseSync()
  return on.includes(event.type) && when!(event)
}

t.test('what changes an asset is followed, own changes included', async (t) => {
  const types: EventType[] = ['upload', 'rename', 'delete', 'move', 'resource_metadata_changed']
  for (const type of types) t.ok(wants(sampleEvent(type)), type)
  for (const type of ['eager', 'create_folder', 'report'] as const) t.notOk(wants(sampleEvent(type)), type)
  t.equal(databaseSync().ownChanges, true)
  t.strictSame(databaseSync().requires, ['DATABASE_URL'])
})

t.test(
  'an asset that Cloudinary does not store is left alone, since asking for it would fetch it anew',
  async (t) => {
    const event = sampleEvent('upload')
    const of = (deliveryType: string) => ({ ...event, asset: { ...event.asset, deliveryType } })
    for (const type of ['upload', 'private', 'authenticated']) t.ok(wants(of(type)), type)
    for (const type of ['fetch', 'facebook', 'list']) t.notOk(wants(of(type)), type)
    t.ok(wants({ ...event, asset: { publicId: 'of older notifications' } }))
    t.notOk(wants({ ...event, asset: null }))
  }
)

t.test('options that cannot work are refused', async (t) => {
  const refused: [unknown, RegExp][] = [
    [{ table: 'drop table' }, /databaseSync: table: must be 1 to 63 lower-case/],
    [{ table: 'x'.repeat(49) }, /table: must be at most 48/],
    [{ schema: 'Public' }, /schema: must be/],
    [{ columns: { observed_at: 'etag' } }, /columns\.observed_at: .*is kept always/],
    [{ tables: 'assets' }, /Unrecognized key/]
  ]
  for (const [options, message] of refused) {
    t.throws(() => databaseSync(options as never), { code: 'LISTENER_CONFIG_INVALID', message })
  }
})

t.test('it starts once the table is there, fills it, and stops', async (t) => {
  const processor = databaseSync({ table: 'assets', columns: { cms_id: 'metadata.cms_id', etag: 'etag' } })
  await t.rejects(async () => processor.start!(context), {
    code: 'DATABASE_NOT_MIGRATED',
    message: /lacks what this listener needs: table "assets" .*\. Run: node app\/main\.ts migrate$/
  })
  await processor.stop!()

  const { lines, print } = collect()
  await processor.migrate!({ ...context, print, dryRun: true })
  t.match(lines, [/^would run: CREATE TABLE/, /^would run: CREATE INDEX/])
  const check = async () => processor.check!({ ...context, signal: new AbortController().signal })
  await t.rejects(check(), { code: 'DATABASE_NOT_MIGRATED' })
  await processor.migrate!({ ...context, print, dryRun: false })
  t.strictSame(await check(), [{ level: 'ok', message: 'the database answers, and has the table "assets"' }])
  t.match(lines.slice(2), ['created table "assets" with 21 columns', /^created index/])

  await processor.start!(context)
  const { cloudinary, clients } = await buildCloudinary(t)
  const { signal } = new AbortController()
  const bag = cloudinary.assets.find('bag')!
  const event = sampleEvent('upload', {}, { asset_id: bag.assetId, public_id: 'bag' })
  const { state } = memoryState()
  const note = await processor.handle(event, {
    cloudinary: clients.for('demo', signal),
    log: QUIET,
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
