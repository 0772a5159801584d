import t from 'tap'
import { commandLine } from '../../../../app/own-command.ts'
import { COLUMNS, columnsOf } from '../../../../app/processors/database-sync/sync-columns.ts'
import {
  checkTable,
  migrateTable,
  nameOf,
  type TableDefinition
} from '../../../../app/processors/database-sync/sync-table.ts'
import { collect } from '../../../support/operator.ts'
import { buildPostgres } from '../../../support/postgres.ts'

const { postgres, database } = await buildPostgres(t)

const define = (table: string, columns: unknown = {}, schema?: string): TableDefinition => ({
  table,
  schema,
  columns: columnsOf(COLUMNS.parse(columns))
})

/** Migrates and returns the printed lines. */
async function migrate(definition: TableDefinition, dryRun = false): Promise<string[]> {
  const { lines, print } = collect()
  await migrateTable(database, definition, { print, dryRun })
  return lines
}

t.test('quotes table and schema', async (t) => {
  t.equal(nameOf({ table: 'user' }), '"user"')
  t.equal(nameOf({ table: 'user', schema: 'media' }), '"media"."user"')
})

t.test('creates schema, table and index once', async (t) => {
  const assets = define('assets', { select: 'metadata.select' }, 'media')
  await t.rejects(checkTable(database, assets), {
    code: 'DATABASE_NOT_MIGRATED',
    message:
      'missing in the database: schema "media", table "media"."assets" with 21 columns, ' +
      `index on "media"."assets" (public_id). Run: ${commandLine('migrate')}`
  })
  t.strictSame(await migrate(assets), [
    'created schema "media"',
    'created table "media"."assets" with 21 columns',
    'created index on "media"."assets" (public_id)'
  ])
  await checkTable(database, assets)
  t.strictSame(await migrate(assets), ['table "media"."assets" is up to date'])
  await t.rejects(
    database.query('store', 'INSERT INTO media.assets (asset_id) VALUES ($1)', ['a1']),
    /23502/,
    'what names an asset is never null'
  )
})

t.test('prints statements in a dry run without running them', async (t) => {
  const planned = define('planned')
  t.match(await migrate(planned, true), [
    /^would run: CREATE TABLE "planned" \("asset_id" text NOT NULL, .*PRIMARY KEY \(asset_id\)\);$/,
    'would run: CREATE INDEX ON "planned" (public_id);'
  ])
  await t.rejects(checkTable(database, planned), { code: 'DATABASE_NOT_MIGRATED' })
  await migrate(planned)
  t.strictSame(await migrate(planned, true), ['table "planned" is up to date'])
})

t.test('prints statements that work when run by hand', async (t) => {
  const byHand = define('by_hand', {}, 'elsewhere')
  for (const line of await migrate(byHand, true)) await postgres.db.exec(line.replace('would run: ', ''))
  await t.resolves(checkTable(database, byHand))
})

t.test('adds missing columns and keeps rows and others', async (t) => {
  await migrate(define('grown', { tags: false }))
  await postgres.db.exec(`
    ALTER TABLE grown ADD COLUMN note text;
    INSERT INTO grown (asset_id, environment, public_id, resource_type, type, observed_at, note)
      VALUES ('a1', 'demo', 'bag', 'image', 'upload', now(), 'mine')`)
  const grown = define('grown', { cms_id: 'metadata.cms_id' })
  await t.rejects(checkTable(database, grown), { message: /: column tags \(text\[\]\) of "grown", / })
  t.strictSame(await migrate(grown), [
    'created column tags (text[]) of "grown"',
    'created column cms_id (text) of "grown"'
  ])
  t.match(await database.query('look', 'SELECT * FROM grown'), [
    { asset_id: 'a1', note: 'mine', tags: null, cms_id: null }
  ])
  t.strictSame(await migrate(define('grown')), ['table "grown" is up to date'], 'drops nothing')
})

t.test('creates a missing index again', async (t) => {
  await migrate(define('slow'))
  await postgres.db.exec('DROP INDEX slow_public_id_idx')
  t.strictSame(await migrate(define('slow')), ['created index on "slow" (public_id)'])
  await postgres.db.exec(`
    DROP INDEX slow_public_id_idx;
    CREATE INDEX partial ON slow (public_id) WHERE type = 'private'`)
  t.strictSame(await migrate(define('slow')), ['created index on "slow" (public_id)'])
})

t.test('creates an index if its usual name is taken', async (t) => {
  await migrate(define('first'))
  await postgres.db.exec('ALTER INDEX first_public_id_idx RENAME TO second_public_id_idx')
  t.match(await migrate(define('second')), [/^created table/, 'created index on "second" (public_id)'])
  await checkTable(database, define('second'))
})

t.test('does not report a view with the same name as created', async (t) => {
  await postgres.db.exec('CREATE TABLE empty ()')
  await t.rejects(migrate(define('empty')), { code: 'DATABASE_REJECTED', message: /42P07/ })
  await database.query('make another', 'CREATE SEQUENCE counter')
  await t.rejects(migrate(define('counter')), { code: 'DATABASE_TABLE_CONFLICT' })
})

t.test('adds a column to a table of an earlier release', async (t) => {
  await migrate(define('earlier'))
  await postgres.db.exec('ALTER TABLE earlier DROP COLUMN placed_at')
  t.strictSame(await migrate(define('earlier')), ['created column placed_at (timestamptz) of "earlier"'])
})

t.test('rejects a conflicting table without changing it', async (t) => {
  await migrate(define('taken', { price: 'metadata.price' }))
  const taken = define('taken', { price: { from: 'metadata.price', type: 'integer' }, more: 'etag' })
  const refusal = {
    code: 'DATABASE_TABLE_CONFLICT',
    message: /"taken".*: column price is text and must be integer\. /
  }
  await t.rejects(migrate(taken), refusal)
  await t.rejects(checkTable(database, taken), refusal)
  await t.rejects(migrate(taken, true), refusal)
  await checkTable(database, define('taken'))

  await postgres.db.exec('CREATE TABLE keyless (asset_id text, type text)')
  await t.rejects(migrate(define('keyless')), { message: /: asset_id is not its primary key\. / })
  await postgres.db.exec(
    'CREATE UNIQUE INDEX ON keyless (asset_id, type); CREATE INDEX ON keyless (asset_id)'
  )
  await t.rejects(migrate(define('keyless')), { message: /: asset_id is not its primary key\. / })
})

t.test('creates the table once for parallel migrations', async (t) => {
  const printed = await Promise.all([1, 2, 3].map(() => migrate(define('crowded'))))
  t.equal(printed.flat().filter((line) => line.startsWith('created table "crowded"')).length, 1)
  t.equal(printed.flat().filter((line) => line === 'table "crowded" is up to date').length, 2)
})
