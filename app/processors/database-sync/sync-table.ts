import { ListenerError } from '../../errors.ts'
import { commandLine } from '../../own-command.ts'
import { namingLockHolders } from './lock-holders.ts'
import { type Database, escapeIdentifier, type Query } from './postgres.ts'
import { type Column, type ColumnType, IDENTITY, OBSERVED_AT, PLACED_AT } from './sync-columns.ts'

export interface TableDefinition {
  table: string
  /** (Default: the first schema in `search_path`) */
  schema?: string | undefined
  columns: readonly Column[]
}

/**
 * A schema, table, column or index that does not exist yet. The statement has no IF NOT EXISTS: that would do
 * nothing if something else has the name, and be reported as done.
 */
interface Missing {
  what: string
  sql: string
}

/** Returns the table's name in SQL. */
export const nameOf = ({ schema, table }: Pick<TableDefinition, 'schema' | 'table'>): string =>
  (schema === undefined ? [table] : [schema, table]).map(escapeIdentifier).join('.')

/**
 * Creates the table, or adds missing columns and index. Never drops or changes anything.
 *
 * @param print prints each change; in a dry run, the statement
 * @throws {ListenerError} DATABASE_TABLE_CONFLICT if the existing table does not match; DATABASE_LOCKED,
 *   DATABASE_UNAVAILABLE, DATABASE_REJECTED
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
  // several processes may migrate at once; the lock ends with the transaction
  await query(
    'wait for another migrate',
    "SELECT pg_advisory_xact_lock(hashtext('cloudinary-listener migrate'))"
  )
  const missing = await findMissing(query, definition)
  for (const { what, sql } of missing) await query(`create ${what}`, sql)
  return missing
}

/**
 * Checks that the table matches its definition.
 *
 * @throws {ListenerError} DATABASE_NOT_MIGRATED if something is missing; DATABASE_TABLE_CONFLICT;
 *   DATABASE_UNAVAILABLE, DATABASE_REJECTED
 */
export async function checkTable(database: Database, definition: TableDefinition): Promise<void> {
  const missing = await findMissing(database.query, definition)
  if (missing.length === 0) return
  const list = missing.map(({ what }) => what).join(', ')
  throw new ListenerError(
    'DATABASE_NOT_MIGRATED',
    `missing in the database: ${list}. Run: ${commandLine('migrate')}`
  )
}

async function findMissing(query: Query, definition: TableDefinition): Promise<Missing[]> {
  const { schema, columns } = definition
  const name = nameOf(definition)
  const found = await inspect(query, name, schema)
  const isNew = found.columns.size === 0
  if (!isNew) refuseConflicts(name, found, columns)
  const parts = isNew ? [tableOf(name, columns)] : missingColumns(name, found, columns)
  // PostgreSQL chooses a name for the index that is free
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
  /** Types by column; empty if the table does not exist. */
  columns: ReadonlyMap<string, string>
  /** `asset_id` is unique. */
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
      : await query('find the schema', 'SELECT to_regnamespace($1) IS NOT NULL AS found', [
          escapeIdentifier(schema)
        ])
  return {
    hasSchema: hasSchema === true,
    columns: new Map(rows.map((row) => [String(row.name), String(row.type)])),
    isKeyed: rows.some((row) => row.name === 'asset_id' && row.is_key === true),
    hasIndex: rows.some((row) => row.name === 'public_id' && row.indexed === true)
  }
}

/** Existing columns are not converted: values may not fit, and other programs may read them. */
function refuseConflicts(name: string, found: Found, columns: readonly Column[]): void {
  const conflicts = typesOf(columns).flatMap(([column, type]) => {
    const actual = found.columns.get(column) ?? type
    return actual === type ? [] : [`column ${column} is ${actual} and must be ${type}`]
  })
  if (!found.isKeyed) conflicts.push('asset_id is not its primary key')
  if (conflicts.length === 0) return
  throw new ListenerError(
    'DATABASE_TABLE_CONFLICT',
    `table ${name} does not match: ${conflicts.join('; ')}. Alter the table, or change the options \`table\` or ` +
      '`columns` of databaseSync.'
  )
}
