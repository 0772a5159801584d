import { z } from 'zod'
import type { AssetState } from '../../cloudinary/client.ts'
import { asFields } from '../fields.ts'

/** Types of columns, by PostgreSQL's names. */
export const COLUMN_TYPES = [
  'text',
  'integer',
  'bigint',
  'double precision',
  'boolean',
  'timestamptz',
  'jsonb',
  'text[]'
] as const

export type ColumnType = (typeof COLUMN_TYPES)[number]

export interface Column {
  name: string
  type: ColumnType
  /** `environment`, a field of the asset, `metadata`, `metadata.FIELD`, `context` or `context.KEY`. */
  from: string
}

/** Columns that identify the asset. Every table has them. */
export const IDENTITY: readonly Column[] = [
  { name: 'asset_id', type: 'text', from: 'asset_id' },
  { name: 'environment', type: 'text', from: 'environment' },
  { name: 'public_id', type: 'text', from: 'public_id' },
  { name: 'resource_type', type: 'text', from: 'resource_type' },
  { name: 'type', type: 'text', from: 'type' }
]

/** When the asset was read, by the database's clock. */
export const OBSERVED_AT = 'observed_at'

/**
 * When the row got its name, by the database's clock. A row is unconfirmed if its asset was read before that:
 * a change may have been handled in between, and found no row to update.
 */
export const PLACED_AT = 'placed_at'

/** Default columns, named after the asset's fields. Options can change or remove them. */
const DEFAULTS: Record<string, ColumnType> = {
  version: 'bigint',
  format: 'text',
  bytes: 'bigint',
  width: 'integer',
  height: 'integer',
  duration: 'double precision',
  asset_folder: 'text',
  display_name: 'text',
  secure_url: 'text',
  tags: 'text[]',
  metadata: 'jsonb',
  context: 'jsonb',
  created_at: 'timestamptz'
}

const RESERVED = [...IDENTITY.map(({ name }) => name), OBSERVED_AT, PLACED_AT]

/** A name that SQL does not require to be quoted. PostgreSQL truncates names to 63 bytes. */
export const IDENTIFIER = z
  .string()
  .regex(
    /^[a-z_][a-z0-9_]{0,62}$/,
    'must be 1 to 63 lower-case letters, digits and "_", and not begin with a digit'
  )

const SOURCE = z
  .string()
  .regex(
    /^(?:(?:metadata|context)\..+|[a-z_]+)$/s,
    'must be a field of the asset, metadata.FIELD or context.KEY'
  )

/** Columns by name: the source of the value, and its type; `false` removes a default column. */
export const COLUMNS = z
  .record(
    IDENTIFIER.refine((name) => !RESERVED.includes(name), `must not be one of ${RESERVED.join(', ')}`),
    z.union([z.literal(false), SOURCE, z.strictObject({ from: SOURCE, type: z.enum(COLUMN_TYPES) })])
  )
  .default({})

/** Returns the columns of the table, except `observed_at` and `placed_at`. */
export function columnsOf(changes: z.output<typeof COLUMNS>): Column[] {
  const defaults = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, name]))
  const others = Object.entries({ ...defaults, ...changes }).flatMap(([name, column]) => {
    if (column === false) return []
    const { from, type } =
      typeof column === 'string' ? { from: column, type: DEFAULTS[column] ?? 'text' } : column
    return [{ name, from, type }]
  })
  return [...IDENTITY, ...others]
}

/** Returns a column's value of an asset, as `pg` takes it. */
export function sqlValue({ from, type }: Column, asset: AssetState, environment: string): unknown {
  const value = from === 'environment' ? environment : read(from, asset)
  if (type === 'text[]') return [value ?? []].flat().map(textOf)
  if (value === undefined || value === null) return null
  if (type === 'jsonb') return JSON.stringify(storable(value))
  if (type === 'timestamptz' && typeof value === 'number') return timeOf(value)
  const text = textOf(value)
  return text === '' && type !== 'text' ? null : text
}

function read(from: string, asset: AssetState): unknown {
  const [, group, key] = /^(metadata|context)(?:\.(.+))?$/s.exec(from) ?? []
  if (group === undefined) return own(asset, from)
  const pairs = asFields(asset[group]) ?? {}
  // the Upload API puts context under `custom`
  const values = group === 'context' ? (asFields(pairs.custom ?? pairs) ?? {}) : pairs
  return key === undefined ? values : own(values, key)
}

const own = (fields: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined

const textOf = (value: unknown): string =>
  typeof value === 'string' ? clean(value) : JSON.stringify(storable(value))

/** Converts Unix time in seconds. */
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString()
}

/** Removes NUL and lone surrogates: PostgreSQL would reject the row. */
const clean = (text: string): string => text.toWellFormed().replaceAll('\0', '')

function storable(value: unknown): unknown {
  if (typeof value === 'string') return clean(value)
  if (Array.isArray(value)) return value.map(storable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [clean(key), storable(part)]))
}
