import { escapeIdentifier } from 'pg'
import { ListenerError } from '../../errors.ts'
import { namingLockHolders } from './lock-holders.ts'
import type { Database, Query } from './postgres.ts'
import { type Column, type ColumnType, IDENTITY, OBSERVED_AT, PLACED_AT } from './sync-columns.ts'

/** The table as it must be. */
export interface TableDefinition {
  table: string
  /** Without one, where `search_path` leads. */
  schema?: string | undefined
  columns: readonly Column[]
}

/**
 * Something that is not there yet. Its statement fails where something else has the name: with IF NOT EXISTS it would do
 * nothing, and be reported as done.
 */
interface Missing {
  /** What it is, in a few words. */
  what: string
  /** The statement that makes it. */
  sql: string
}

/** The table's name in SQL. */
export const nameOf = ({ schema, table }: Pick<TableDefinition, 'schema' | 'table'>): string =>
  (schema === undefined ? [table] : [schema, table]).map(escapeIdentifier).join('.')

/**
 * Creates the table or adds what it has not. Drops and changes nothing.
 *
 * @param print is told what is done, or, in a dry run, the statements that would be run
 * @throws {ListenerError} DATABASE_TABLE_CONFLICT when what is there cannot be used; DATABASE_LOCKED, DATABASE_UNAVAILABLE,
 *   DATABASE_REJECTED
 */
export async function migrateTable(
  database: Database,
  definition: TableDefinition,
  { print, dryRun }: { print: (line: string) => void; dryRun: boolean }
): Promise<void> {
  const missing = dryRun
    ? await findMissing(database.query, definition)
    : await namingLockHolders(database.query, nameOf(definition), () =>
        database.transaction((query) => create(query, definition))
      )
  if (missing.length === 0) print(`table ${nameOf(definition)} is up to date`)
  for (const { what, sql } of missing) print(dryRun ? `would run: ${sql};` : `created ${what}`)
}

async function create(query: Query, definition: TableDefinition): Promise<Missing[]> {
  // several may migrate at once; the lock ends with the transaction
  await query(
    'wait for another migrate',
    "SELECT pg_advisory_xact_lock(hashtext('cloudinary-listener migrate'))"
  )
  const missing = await findMissing(query, definition)
  for (const { what, sql } of missing) await query(`create ${what}`, sql)
  return missing
}

/**
 * Makes sure that the table is as it must be.
 *
 * @throws {ListenerError} DATABASE_NOT_MIGRATED when something is missing; DATABASE_TABLE_CONFLICT;
 *   DATABASE_UNAVAILABLE, DATABASE_REJECTED
 */
export async function checkTable(database: Database, definition: TableDefinition): Promise<void> {
  const missing = await findMissing(database.query, definition)
  if (missing.length === 0) return
  const list = missing.map(({ what }) => what).join(', ')
  throw new ListenerError(
    'DATABASE_NOT_MIGRATED',
    `the database lacks what this listener needs: ${list}. Run: node app/main.ts migrate`
  )
}

async function findMissing(query: Query, definition: TableDefinition): Promise<Missing[]> {
  const { schema, columns } = definition
  const name = nameOf(definition)
  const found = await inspect(query, name, schema)
  const isNew = found.columns.size === 0
  if (!isNew) refuseConflicts(name, found, columns)
  const parts = isNew ? [tableOf(name, columns)] : missingColumns(name, found, columns)
  // PostgreSQL chooses a name for the index that nothing else in the schema has
  const on = `${name} (public_id)`
  if (!found.hasIndex) parts.push({ what: `index on ${on}`, sql: `CREATE INDEX ON ${on}` })
  if (found.hasSchema || schema === undefined) return parts
  const quoted = escapeIdentifier(schema)
  return [{ what: `schema ${quoted}`, sql: `CREATE SCHEMA ${quoted}` }, ...parts]
}

function tableOf(name: string, columns: readonly Column[]): Missing {
  const always = IDENTITY.map(({ name }) => name)
  const definitions = [
    ...columns.map(
      ({ name, type }) => `${escapeIdentifier(name)} ${type}${always.includes(name) ? ' NOT NULL' : ''}`
    ),
    `${OBSERVED_AT} timestamptz NOT NULL`,
    `${PLACED_AT} timestamptz`,
    'PRIMARY KEY (asset_id)'
  ]
  return {
    what: `table ${name} with ${columns.length + 2} columns`,
    sql: `CREATE TABLE ${name} (${definitions.join(', ')})`
  }
}

function missingColumns(name: string, found: Found, columns: readonly Column[]): Missing[] {
  return typesOf(columns)
    .filter(([column]) => !found.columns.has(column))
    .map(([column, type]) => ({
      what: `column ${column} (${type}) of ${name}`,
      sql: `ALTER TABLE ${name} ADD COLUMN ${escapeIdentifier(column)} ${type}`
    }))
}

const typesOf = (columns: readonly Column[]): [name: string, type: ColumnType][] => [
  ...columns.map(({ name, type }): [string, ColumnType] => [name, type]),
  [OBSERVED_AT, 'timestamptz'],
  [PLACED_AT, 'timestamptz']
]

interface Found {
  hasSchema: boolean
  /** Types by name; none where there is no such table. */
  columns: ReadonlyMap<string, string>
  /** `asset_id` is unique in it. */
  isKeyed: boolean
  hasIndex: boolean
}

async function inspect(query: Query, name: string, schema: string | undefined): Promise<Found> {
  const rows = await query(
    'inspect the table',
    `SELECT a.attname AS name,
        replace(format_type(a.atttypid, a.atttypmod), 'timestamp with time zone', 'timestamptz') AS type,
        EXISTS (
          SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
            AND i.indisvalid AND i.indpred IS NULL
        ) AS indexed,
        EXISTS (
          SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
            AND i.indnkeyatts = 1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
        ) AS is_key
      FROM pg_attribute a
      WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped`,
    [name]
  )
  const [{ found: hasSchema } = { found: true }] =
    schema === undefined
      ? []
      : await query('look for the schema', 'SELECT to_regnamespace($1) IS NOT NULL AS found', [
          escapeIdentifier(schema)
        ])
  return {
    hasSchema: hasSchema === true,
    columns: new Map(rows.map((row) => [String(row.name), String(row.type)])),
    isKeyed: rows.some((row) => row.name === 'asset_id' && row.is_key === true),
    hasIndex: rows.some((row) => row.name === 'public_id' && row.indexed === true)
  }
}

/** What is there is left as it is: it may hold what cannot be converted, and others may read it. */
function refuseConflicts(name: string, found: Found, columns: readonly Column[]): void {
  const faults = typesOf(columns).flatMap(([column, type]) => {
    const actual = found.columns.get(column) ?? type
    return actual === type ? [] : [`column ${column} is ${actual} and must be ${type}`]
  })
  if (!found.isKeyed) faults.push('asset_id is not its primary key')
  if (faults.length === 0) return
  throw new ListenerError(
    'DATABASE_TABLE_CONFLICT',
    `${name} cannot be used as it is: ${faults.join('; ')}. Change it by hand, or give databaseSync another ` +
      '`table`, or the columns other names or types.'
  )
}
