import { z } from 'zod'
import type { AssetState } from '../../cloudinary/client.ts'

/** What a column may hold, by PostgreSQL's names. */
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

/** Says which asset a row is about, so these are always there. */
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
 * When the row was given its name, by the database's clock. A row that was read before that is unconfirmed: a change of
 * the asset may have been handled in between, and found no row to change.
 */
export const PLACED_AT = 'placed_at'

/** What else Cloudinary says of every asset, and under which names it is kept unless an option says otherwise. */
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

/** A name in SQL that needs no quotes. PostgreSQL cuts off what is longer than 63 bytes. */
export const IDENTIFIER = z
  .string()
  .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be 1 to 63 lower-case letters, digits and "_", no digit first')

const SOURCE = z
  .string()
  .regex(
    /^(?:(?:metadata|context)\..+|[a-z_]+)$/s,
    'must be a field of the asset, metadata.FIELD or context.KEY'
  )

/** Columns by name: where the value comes from, and its type; false leaves out one of the default columns. */
export const COLUMNS = z
  .record(
    IDENTIFIER.refine((name) => !RESERVED.includes(name), `is kept always: ${RESERVED.join(', ')}`),
    z.union([z.literal(false), SOURCE, z.strictObject({ from: SOURCE, type: z.enum(COLUMN_TYPES) })])
  )
  .default({})

/** The columns of the table but the two times: those that are always there, and the default ones as changed. */
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

/** What of an asset goes into a column, as `pg` takes it; null where there is nothing. */
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
  const pairs = fieldsOf(asset[group])
  // the Upload API keeps the context of users under `custom`
  const values = group === 'context' ? fieldsOf(pairs.custom ?? pairs) : pairs
  return key === undefined ? values : own(values, key)
}

const own = (fields: Record<string, unknown>, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined

const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? clean(value) : JSON.stringify(storable(value))

/** A number is Unix time, in seconds. */
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString()
}

/** PostgreSQL stores neither NUL nor halves of surrogate pairs, and would refuse the whole row. */
const clean = (text: string): string => text.toWellFormed().replaceAll('\0', '')

function storable(value: unknown): unknown {
  if (typeof value === 'string') return clean(value)
  if (Array.isArray(value)) return value.map(storable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [clean(key), storable(part)]))
}
