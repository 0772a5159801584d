import assert from 'node:assert/strict'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { AssetState } from '../../../../app/cloudinary/client.ts'
import { COLUMNS, columnsOf } from '../../../../app/processors/database-sync/sync-columns.ts'
import { AssetRows } from '../../../../app/processors/database-sync/sync-rows.ts'
import { migrateTable } from '../../../../app/processors/database-sync/sync-table.ts'
import { MemoryRows } from '../../../support/asset-rows.ts'
import { buildPostgres } from '../../../support/postgres.ts'

const { database } = await buildPostgres(t)
const columns = columnsOf(
  COLUMNS.parse({
    cms_id: 'metadata.cms_id',
    alt: 'context.alt',
    uploaded_at: { from: 'version', type: 'timestamptz' },
    is_live: { from: 'metadata.live', type: 'boolean' }
  })
)
const definition = { table: 'assets', columns }
await migrateTable(database, definition, { print: () => {}, dryRun: false })
const rows = new AssetRows(database, definition)

const EARLY = '2026-06-01T12:00:00.000001Z'
const LATE = '2026-06-01T12:00:00.000002Z'

const asset = (fields: Record<string, unknown> = {}): AssetState => ({
  asset_id: 'a1',
  public_id: 'bag',
  resource_type: 'image',
  type: 'upload',
  ...fields
})

const NAME = { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }
const CLAIM = { assetId: 'a1', ...NAME }

const stored = () => database.query('look', 'SELECT * FROM assets ORDER BY asset_id')

/** Runs a test on an empty table. */
function test(name: string, run: (t: Test) => Promise<void>): void {
  t.test(name, async (t) => {
    await database.query('clear', 'TRUNCATE assets')
    await run(t)
  })
}

test('reads a monotonic time in microseconds', async (t) => {
  const [first, second] = [await rows.now(), await rows.now()]
  t.match(first, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  // the clock of the embedded PostgreSQL counts milliseconds
  t.ok(first <= second)
})

test('stores all fields of an asset', async (t) => {
  const state = asset({
    version: 1_780_315_200,
    format: 'mp4',
    bytes: 5_000_000_000,
    width: 1920,
    height: 1080,
    duration: 13.4134,
    asset_folder: 'samples',
    display_name: 'Bag',
    secure_url: 'https://example.com/bag.mp4',
    tags: ['a, "quoted" tag', 'NULL'],
    metadata: { cms_id: 'c1', live: 'true', colours: ['brown'] },
    context: { custom: { alt: "It's a bag" } },
    created_at: '2026-06-01T10:00:00Z'
  })
  t.equal((await rows.put('demo', state, EARLY)).outcome, 'inserted')
  t.match(await stored(), [
    {
      asset_id: 'a1',
      environment: 'demo',
      public_id: 'bag',
      resource_type: 'image',
      type: 'upload',
      version: '1780315200',
      format: 'mp4',
      bytes: '5000000000',
      width: 1920,
      height: 1080,
      duration: 13.4134,
      asset_folder: 'samples',
      display_name: 'Bag',
      secure_url: 'https://example.com/bag.mp4',
      tags: ['a, "quoted" tag', 'NULL'],
      metadata: { cms_id: 'c1', live: 'true', colours: ['brown'] },
      context: { alt: "It's a bag" },
      created_at: new Date('2026-06-01T10:00:00Z'),
      cms_id: 'c1',
      alt: "It's a bag",
      uploaded_at: new Date(1_780_315_200_000),
      is_live: true,
      observed_at: new Date('2026-06-01T12:00:00.000Z')
    }
  ])
})

/** Stores an asset and returns the outcome. */
const put = async (state: AssetState, observedAt: string, environment = 'demo') =>
  (await rows.put(environment, state, observedAt)).outcome

test('never replaces a newer row', async (t) => {
  t.equal(await put(asset({ etag: 'e', tags: ['late'] }), LATE), 'inserted')
  t.equal(await put(asset({ tags: ['early'] }), EARLY), 'outdated')
  t.match(await stored(), [{ tags: ['late'] }])
  t.equal(await put(asset({ tags: ['again'] }), LATE), 'updated')
  t.match(await stored(), [{ tags: ['again'], metadata: {} }])
})

test('confirms a row that was read after it got its name', async (t) => {
  const before = await rows.now()
  const seen = async (state: AssetState, at: string) => (await rows.put('demo', state, at)).isConfirmed
  t.equal(await seen(asset(), before), false, 'new')
  t.equal(await seen(asset(), before), false, 'read before its placement')
  t.equal(await seen(asset(), await later()), true)
  t.equal(await seen(asset({ public_id: 'sack' }), await later()), false, 'renamed')
  t.equal(
    await seen(asset({ public_id: 'sack', type: 'private' }), await later()),
    false,
    'another delivery type'
  )
  t.equal(await seen(asset({ public_id: 'sack', type: 'private' }), await later()), true)
  await database.query('make a row of an earlier release', 'UPDATE assets SET placed_at = NULL')
  t.equal(await seen(asset({ public_id: 'sack', type: 'private' }), await later()), true)
})

/** Returns a later time. The clock of the embedded PostgreSQL counts milliseconds. */
async function later(): Promise<string> {
  const now = await rows.now()
  for (;;) {
    const next = await rows.now()
    if (next > now) return next
  }
}

test('gives a name to the asset that was read last', async (t) => {
  await put(asset(), EARLY)
  await put(asset({ asset_id: 'a2', type: 'private' }), EARLY)
  t.equal(await put(asset({ asset_id: 'a3' }), LATE), 'inserted')
  t.match(await stored(), [{ asset_id: 'a2' }, { asset_id: 'a3' }])
  t.equal(await put(asset(), EARLY), 'outdated')
  t.equal(await put(asset(), EARLY, 'other'), 'inserted', 'names are separate per environment')
})

test('finds rows by asset id or public id', async (t) => {
  await put(asset(), EARLY)
  await put(asset({ asset_id: 'a2', type: 'private' }), EARLY)
  await put(asset({ asset_id: 'a3', resource_type: 'raw' }), EARLY)
  const found = async (...given: Parameters<typeof rows.claims>) =>
    (await rows.claims(...given)).map(({ assetId }) => assetId).toSorted()
  t.strictSame(await rows.claims('demo', { assetId: 'a1' }), [CLAIM])
  t.strictSame(await found('demo', { publicId: 'bag' }), ['a1', 'a2', 'a3'])
  t.strictSame(await found('demo', { publicId: 'bag', resourceType: 'image' }), ['a1', 'a2'])
  t.strictSame(await found('demo', { publicId: 'sack' }), [])
  t.strictSame(await found('other', { assetId: 'a1' }), [])
})

test('removes a row unless it is newer or renamed', async (t) => {
  await put(asset(), LATE)
  t.equal(await rows.remove('demo', CLAIM, EARLY), false)
  t.equal(await rows.remove('demo', { ...CLAIM, publicId: 'sack' }, LATE), false)
  t.equal(await rows.remove('demo', { ...CLAIM, resourceType: 'raw' }, LATE), false)
  t.equal(await rows.remove('demo', { ...CLAIM, deliveryType: 'private' }, LATE), false)
  t.equal(await rows.remove('demo', { ...CLAIM, assetId: 'a2' }, LATE), false)
  t.equal(await rows.remove('other', CLAIM, LATE), false)
  t.equal((await stored()).length, 1)
  t.equal(await rows.remove('demo', CLAIM, LATE), true)
  t.equal(await rows.remove('demo', CLAIM, LATE), false)
})

test('clears all or only unconfirmed rows of a name', async (t) => {
  const before = await rows.now()
  await put(asset(), before)
  t.equal(await rows.clear('demo', NAME, EARLY, 'all'), false)
  t.equal(await rows.clear('demo', NAME, before, 'unconfirmed'), true)
  await put(asset(), before)
  const after = await later()
  await put(asset(), after)
  t.equal(await rows.clear('demo', NAME, after, 'unconfirmed'), false)
  t.equal(await rows.clear('demo', { ...NAME, deliveryType: 'private' }, after, 'all'), false)
  t.equal(await rows.clear('demo', NAME, after, 'all'), true)
})

test('stores any metadata, tags and context unchanged', async () => {
  // PostgreSQL does not store NUL, and JSON.parse makes `__proto__` an ordinary key
  const text = fc.string({ unit: 'grapheme' })
  const value = fc.oneof(text, fc.integer(), fc.array(text))
  const fields = fc.dictionary(text, value).map((fields) => ({ ...fields }))
  await fc.assert(
    fc.asyncProperty(fields, fc.dictionary(text, text), fc.array(text), async (metadata, context, tags) => {
      const observedAt = await rows.now()
      await rows.put('demo', asset({ metadata, context: { custom: context }, tags }), observedAt)
      const [row] = await stored()
      assert.deepEqual(row?.tags, tags)
      assert.deepEqual(row?.metadata, JSON.parse(JSON.stringify(metadata)))
      assert.deepEqual(row?.context, JSON.parse(JSON.stringify(context)))
    }),
    { numRuns: 50 }
  )
})

test('behaves like the in-memory model', async () => {
  const id = fc.constantFrom('a1', 'a2', 'a3')
  const name = fc.constantFrom('bag', 'sack')
  const type = fc.constantFrom('upload', 'private')
  // an observation is before or after the time of the placement by the database's clock
  const second = fc.nat(9).map((digit) => `20${digit % 2 === 0 ? 20 : 90}-06-01T12:00:0${digit}.000000Z`)
  const step = fc.record({
    what: fc.constantFrom('put', 'put', 'put', 'remove', 'clear', 'claims'),
    id,
    name,
    type,
    second,
    which: fc.constantFrom('all' as const, 'unconfirmed' as const),
    byId: fc.boolean()
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      await database.query('clear', 'TRUNCATE assets')
      const model = new MemoryRows(() => '2026-11-27T12:00:00.000000Z')
      for (const { what, id, name, type, second, which, byId } of steps) {
        const claim = { assetId: id, publicId: name, resourceType: 'image', deliveryType: type }
        const run = async (on: Pick<AssetRows, 'put' | 'remove' | 'clear' | 'claims'>) => {
          if (what === 'put') return on.put('demo', asset({ asset_id: id, public_id: name, type }), second)
          if (what === 'remove') return on.remove('demo', claim, second)
          if (what === 'clear') return on.clear('demo', claim, second, which)
          const claims = await on.claims('demo', byId ? { assetId: id } : { publicId: name })
          return claims.map(({ assetId }) => assetId).toSorted()
        }
        assert.deepEqual(await run(rows), await run(model))
      }
      const kept = (await stored()).map(({ asset_id, public_id, type }) => [asset_id, public_id, type])
      const expected = [...model.rows.values()].map(({ claim }) => [
        claim.assetId,
        claim.publicId,
        claim.deliveryType
      ])
      assert.deepEqual(kept, expected.toSorted())
    }),
    { numRuns: 50 }
  )
})
