import { PermanentError } from '../../errors.ts'

const PLAIN = ['operation', 'public_id', 'resource_type', 'type', 'tags', 'to_public_id'] as const
const GROUPS = ['metadata', 'context'] as const
const REQUIRED = ['operation', 'public_id'] as const
const ALLOWED = `${PLAIN.join(', ')}, metadata.FIELD and context.KEY`

export type ColumnGroup = (typeof PLAIN)[number] | (typeof GROUPS)[number]

/** A column's group, and the field of `metadata.FIELD` or the key of `context.KEY`. */
export interface Column {
  group: ColumnGroup
  key: string
}

/** Columns in the order of the cells; undefined for a column without a name. */
export type Header = readonly (Column | undefined)[]

/**
 * Reads the header row. A cell without a name is allowed if the cells below it are empty.
 *
 * @throws {PermanentError} CSV_HEADER_INVALID, naming the column and what is allowed
 */
export function readHeader(cells: readonly string[]): Header {
  const names = cells.map((cell) => cell.trim())
  const columns = names.map(columnNamed)
  const unknown = names.find((name, index) => name && !columns[index])
  if (unknown) throw invalidHeader(`unknown column "${unknown.slice(0, 50)}"`)
  const repeated = names.find((name, index) => name && names.indexOf(name) !== index)
  if (repeated) throw invalidHeader(`duplicate column "${repeated}"`)
  const missing = REQUIRED.find((name) => !names.includes(name))
  if (missing) throw invalidHeader(`missing column "${missing}"`)
  return columns
}

/** Returns a CSV_HEADER_INVALID error: no row of the file is run. */
export const invalidHeader = (problem: string): PermanentError =>
  new PermanentError(`file not run: ${problem}. The first row must name the columns: ${ALLOWED}.`, {
    code: 'CSV_HEADER_INVALID'
  })

/** Returns the column with this name; undefined for a name that is not allowed. */
export function columnNamed(name: string): Column | undefined {
  const plain = PLAIN.find((known) => known === name)
  if (plain) return { group: plain, key: '' }
  const group = GROUPS.find((known) => name.startsWith(`${known}.`))
  const key = group && name.slice(group.length + 1)
  // the API uses these characters between keys and values
  return group && key && !/[=|\\]/.test(key) ? { group, key } : undefined
}
