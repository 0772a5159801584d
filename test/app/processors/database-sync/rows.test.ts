import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { AssetState } from '../../../../app/cloudinary/client.ts'
import { COLUMNS, columnsOf } from '../../../../app/processors/database-sync/columns.ts'
import { AssetRows } from '../../../../app/processors/database-sync/rows.ts'
import { migrateTable } from '../../../../app/processors/database-sync/table.ts'
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
const rows = new AssetRows(database.query, definition)

const EARLY = '2026-06-01T12:00:00.000001Z'
const LATE = '2026-06-01T12:00:00.000002Z'

const asset = (fields: Record<string, unknown> = {}): AssetState => ({
  asset_id: 'a1',
  public_id: 'bag',
  resource_type: 'image',
  type: 'upload',
  ...fields
})

const CLAIM = { assetId: 'a1', publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }

const stored = () => database.query('look', 'SELECT * FROM assets ORDER BY asset_id')

t.beforeEach(async () => {
  await database.query('clear', 'TRUNCATE assets')
})

t.test('time does not go back, and is in microseconds', async (t) => {
  const [first, second] = [await rows.now(), await rows.now()]
  t.match(first, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  // the embedded PostgreSQL has a clock of milliseconds
  t.ok(first <= second)
})

t.test('an asset is stored with all that is said of it', async (t) => {
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
  t.equal(await rows.put('demo', state, EARLY), 'inserted')
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

t.test('what was seen later replaces what was seen earlier, and never the other way round', async (t) => {
  t.equal(await rows.put('demo', asset({ etag: 'e', tags: ['late'] }), LATE), 'inserted')
  t.equal(await rows.put('demo', asset({ tags: ['early'] }), EARLY), 'outdated')
  t.match(await stored(), [{ tags: ['late'] }])
  t.equal(await rows.put('demo', asset({ tags: ['again'] }), LATE), 'updated')
  t.match(await stored(), [{ tags: ['again'], metadata: {} }])
})

t.test('a name is the asset that was seen under it last', async (t) => {
  await rows.put('demo', asset(), EARLY)
  await rows.put('demo', asset({ asset_id: 'a2', type: 'private' }), EARLY)
  t.equal(await rows.put('demo', asset({ asset_id: 'a3' }), LATE), 'inserted')
  t.match(await stored(), [{ asset_id: 'a2' }, { asset_id: 'a3' }])
  t.equal(await rows.put('demo', asset(), EARLY), 'outdated')
  t.equal(await rows.put('other', asset(), EARLY), 'inserted', 'a name is one of an environment')
})

t.test('a row is found by its id, wherever it is, or by its name', async (t) => {
  await rows.put('demo', asset(), EARLY)
  await rows.put('demo', asset({ asset_id: 'a2', type: 'private' }), EARLY)
  t.strictSame(await rows.claims('demo', { assetId: 'a1', publicId: 'any', resourceType: 'raw' }), [CLAIM])
  const named = { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }
  t.strictSame(await rows.claims('demo', named), [CLAIM])
  t.strictSame(await rows.claims('demo', { ...named, deliveryType: 'private' }), [
    { ...CLAIM, assetId: 'a2', deliveryType: 'private' }
  ])
  t.strictSame(await rows.claims('demo', { ...named, resourceType: 'video' }), [])
  t.strictSame(await rows.claims('demo', { publicId: 'bag' }), [], 'no kind is guessed')
  t.strictSame(await rows.claims('demo', { publicId: 'bag', resourceType: 'image' }), [])
  t.strictSame(await rows.claims('demo', { publicId: 'bag', deliveryType: 'upload' }), [])
  t.strictSame(await rows.claims('other', { assetId: 'a1' }), [])
})

t.test('a row is removed, unless it was seen later or says another name by now', async (t) => {
  await rows.put('demo', asset(), LATE)
  t.equal(await rows.remove(CLAIM, EARLY), false)
  t.equal(await rows.remove({ ...CLAIM, publicId: 'sack' }, LATE), false)
  t.equal(await rows.remove({ ...CLAIM, resourceType: 'raw' }, LATE), false)
  t.equal(await rows.remove({ ...CLAIM, deliveryType: 'private' }, LATE), false)
  t.equal((await stored()).length, 1)
  t.equal(await rows.remove(CLAIM, LATE), true)
  t.equal(await rows.remove(CLAIM, LATE), false)
})

t.test('whatever metadata, tags and context hold comes back as it was', async (t) => {
  // PostgreSQL stores no NUL, and JSON.parse makes a plain key of `__proto__`
  const text = fc.string({ unit: 'grapheme' })
  const value = fc.oneof(text, fc.integer(), fc.array(text))
  const fields = fc.dictionary(text, value).map((fields) => ({ ...fields }))
  await fc.assert(
    fc.asyncProperty(fields, fc.dictionary(text, text), fc.array(text), async (metadata, context, tags) => {
      const observedAt = await rows.now()
      await rows.put('demo', asset({ metadata, context: { custom: context }, tags }), observedAt)
      const [row] = await stored()
      t.strictSame(row?.tags, tags)
      t.strictSame(row?.metadata, JSON.parse(JSON.stringify(metadata)))
      t.strictSame(row?.context, JSON.parse(JSON.stringify(context)))
    }),
    { numRuns: 50 }
  )
})

t.test('the model of it that other tests use does the same', async () => {
  const id = fc.constantFrom('a1', 'a2', 'a3')
  const name = fc.constantFrom('bag', 'sack')
  const type = fc.constantFrom('upload', 'private')
  const second = fc.nat(9).map((digit) => `2026-06-01T12:00:0${digit}.000000Z`)
  const step = fc.record({
    what: fc.constantFrom('put', 'put', 'remove', 'claims'),
    id,
    name,
    type,
    second,
    byId: fc.boolean()
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (steps) => {
      await database.query('clear', 'TRUNCATE assets')
      const model = new MemoryRows()
      for (const { what, id, name, type, second, byId } of steps) {
        const claim = { assetId: id, publicId: name, resourceType: 'image', deliveryType: type }
        const named = { publicId: name, resourceType: 'image', deliveryType: type }
        const run = async (on: Pick<AssetRows, 'put' | 'remove' | 'claims'>) => {
          if (what === 'put') return on.put('demo', asset({ asset_id: id, public_id: name, type }), second)
          if (what === 'remove') return on.remove(claim, second)
          return (await on.claims('demo', byId ? claim : named)).map(({ assetId }) => assetId).toSorted()
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
