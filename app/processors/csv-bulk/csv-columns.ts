import { PermanentError } from '../../errors.ts'
import type { Row } from './csv-rows.ts'

export const OPERATIONS = [
  'add_tags',
  'remove_tags',
  'set_metadata',
  'set_context',
  'rename',
  'delete'
] as const

export type Operation = (typeof OPERATIONS)[number]

/** The asset that a row is about. */
export interface Target {
  publicId: string
  resourceType: string
  deliveryType: string
}

/** What a row asks for. */
export type Task = { row: number; asset: Target } & (
  | { operation: 'add_tags' | 'remove_tags'; tags: string }
  | { operation: 'set_metadata' | 'set_context'; values: Record<string, string> }
  | { operation: 'rename'; toPublicId: string }
  | { operation: 'delete' }
)

/** A row that asks for nothing that could be done, and why. */
export interface BadRow {
  row: number
  /** As far as the row says. */
  operation: string
  publicId: string
  fault: string
}

/** What a column holds, and the field of `metadata.FIELD` or the key of `context.KEY`. */
export interface Column {
  group: Group
  key: string
}

/** Columns in the order of the cells; undefined where the header has no name. */
export type Header = readonly (Column | undefined)[]

type Group = (typeof PLAIN)[number] | (typeof GROUPS)[number]

const PLAIN = ['operation', 'public_id', 'resource_type', 'type', 'tags', 'to_public_id'] as const
const GROUPS = ['metadata', 'context'] as const
const REQUIRED = ['operation', 'public_id'] as const

/** The argument that each operation takes, and no other. */
const ARGUMENTS = {
  add_tags: 'tags',
  remove_tags: 'tags',
  set_metadata: 'metadata',
  set_context: 'context',
  rename: 'to_public_id',
  delete: undefined
} as const

const ALLOWED = `${PLAIN.join(', ')}, metadata.FIELD and context.KEY`
const RESOURCE_TYPES = ['image', 'video', 'raw']

/**
 * Reads the header row. A cell without a name is allowed: it heads cells that are empty.
 *
 * @throws {PermanentError} CSV_HEADER_INVALID, naming the column and what is allowed
 */
export function readHeader(cells: readonly string[]): Header {
  const names = cells.map((cell) => cell.trim())
  const columns = names.map(columnNamed)
  const unknown = names.find((name, index) => name && !columns[index])
  if (unknown) throw invalidHeader(`"${unknown.slice(0, 50)}" is no column that is known`)
  const twice = names.find((name, index) => name && names.indexOf(name) !== index)
  if (twice) throw invalidHeader(`the column "${twice}" is there twice`)
  const missing = REQUIRED.find((name) => !names.includes(name))
  if (missing) throw invalidHeader(`there is no column "${missing}"`)
  return columns
}

/** CSV_HEADER_INVALID: the file is not run, and never will be as it is. */
export const invalidHeader = (fault: string): PermanentError =>
  new PermanentError(`The file is not run: ${fault}. The first row must name the columns: ${ALLOWED}.`, {
    code: 'CSV_HEADER_INVALID'
  })

/** Returns the column of that name; undefined where a file cannot have one. */
export function columnNamed(name: string): Column | undefined {
  const plain = PLAIN.find((known) => known === name)
  if (plain) return { group: plain, key: '' }
  const group = GROUPS.find((known) => name.startsWith(`${known}.`))
  const key = group && name.slice(group.length + 1)
  // what the API has between keys and values, a key cannot have
  return group && key && !/[=|\\]/.test(key) ? { group, key } : undefined
}

/** Reads a row: which operation, of those allowed, on which asset, with what. An empty cell is as one that is not there. */
export function readRow(
  { row, cells, fault: unreadable }: Row,
  header: Header,
  allowed: readonly Operation[]
): Task | BadRow {
  const given = readCells(unreadable === undefined ? cells : [], header)
  const { publicId = '', resourceType, deliveryType } = given
  const operation = allowed.find((one) => one === given.operation)
  const fault = unreadable ?? faultOfShape(cells, header) ?? faultOf(given, operation, allowed)
  if (operation && fault === undefined) {
    return taskOf({ row, asset: { publicId, resourceType, deliveryType } }, operation, given.arguments)
  }
  return { row, operation: given.operation ?? '', publicId, fault: String(fault) }
}

type Given = ReturnType<typeof readCells>

/** Returns the cells of a row by what they hold; undefined where they are empty. */
function readCells(cells: readonly string[], header: Header) {
  const cell = (group: Group) =>
    cells[header.findIndex((column) => column?.group === group)]?.trim() || undefined
  const values = (group: Group) => {
    const ofGroup = header.flatMap((column, index) =>
      column?.group === group && cells[index]?.trim() ? [[column.key, cells[index]] as const] : []
    )
    return ofGroup.length > 0 ? Object.fromEntries(ofGroup) : undefined
  }
  const tags = cell('tags')
    ?.split(',')
    .map((tag) => tag.trim())
  return {
    operation: cell('operation'),
    publicId: cell('public_id'),
    resourceType: cell('resource_type') ?? 'image',
    deliveryType: cell('type') ?? 'upload',
    arguments: {
      tags: tags?.filter((tag) => tag !== '').join(',') || undefined,
      to_public_id: cell('to_public_id'),
      metadata: values('metadata'),
      context: values('context')
    }
  }
}

function faultOfShape(cells: readonly string[], header: Header): string | undefined {
  const surplus = cells.findIndex((cell, index) => cell.trim() && !header[index])
  if (surplus < 0) return undefined
  return `cell ${surplus + 1} has no column in the header; put a cell that has separators in it in quotes`
}

function faultOf(
  given: Given,
  operation: Operation | undefined,
  allowed: readonly Operation[]
): string | undefined {
  if (!operation) return `its operation must be one of ${allowed.join(', ')}`
  if (!given.publicId) return 'public_id is empty'
  if (!RESOURCE_TYPES.includes(given.resourceType)) {
    return `resource_type must be one of ${RESOURCE_TYPES.join(', ')}`
  }
  if (!/^[a-z_]{1,50}$/.test(given.deliveryType)) return 'type must be upload, private, authenticated or such'
  for (const [argument, value] of Object.entries(given.arguments)) {
    const isTaken = argument === ARGUMENTS[operation]
    if (isTaken && !value) return `${operation} needs ${argument}`
    if (!isTaken && value) return `${operation} takes no ${argument}`
  }
  const { metadata, context } = given.arguments
  // the SDK escapes = and | by a backslash, and a backslash by nothing
  const torn = Object.entries({ ...metadata, ...context }).find(([, value]) => /\\([=|]|$)/.test(value))
  return torn && `${torn[0]}: a value cannot have a backslash at its end or before = or |`
}

function taskOf(
  task: { row: number; asset: Target },
  operation: Operation,
  { tags = '', to_public_id: toPublicId = '', metadata, context }: Given['arguments']
): Task {
  switch (operation) {
    case 'add_tags':
    case 'remove_tags':
      return { ...task, operation, tags }
    case 'set_metadata':
    case 'set_context':
      return { ...task, operation, values: { ...metadata, ...context } }
    case 'rename':
      return { ...task, operation, toPublicId }
    case 'delete':
      return { ...task, operation }
  }
}
