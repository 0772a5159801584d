import type { ColumnGroup, Header } from './csv-header.ts'
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

/** The asset that a row names. */
export interface Target {
  publicId: string
  resourceType: string
  deliveryType: string
}

/** A valid row: an operation on an asset, with its argument. */
export type Task = { row: number; asset: Target } & (
  | { operation: 'add_tags' | 'remove_tags'; tags: string }
  | { operation: 'set_metadata' | 'set_context'; values: Record<string, string> }
  | { operation: 'rename'; toPublicId: string }
  | { operation: 'delete' }
)

/** A row that cannot be run, and why. Operation and public id are empty where the row has none. */
export interface InvalidRow {
  row: number
  operation: string
  publicId: string
  error: string
}

/** The only argument that each operation takes. */
const ARGUMENTS = {
  add_tags: 'tags',
  remove_tags: 'tags',
  set_metadata: 'metadata',
  set_context: 'context',
  rename: 'to_public_id',
  delete: undefined
} as const

const RESOURCE_TYPES = ['image', 'video', 'raw']

/** Reads a row. An empty cell counts as missing. */
export function readRow(
  { row, cells, error: unreadable }: Row,
  header: Header,
  allowed: readonly Operation[]
): Task | InvalidRow {
  const fields = readCells(unreadable === undefined ? cells : [], header)
  const { publicId = '', resourceType, deliveryType } = fields
  const operation = allowed.find((one) => one === fields.operation)
  const error = unreadable ?? errorInShape(cells, header) ?? errorIn(fields, operation, allowed)
  if (operation && error === undefined) {
    return taskOf({ row, asset: { publicId, resourceType, deliveryType } }, operation, fields.arguments)
  }
  return { row, operation: fields.operation ?? '', publicId, error: String(error) }
}

type Fields = ReturnType<typeof readCells>

/** Returns the cells of a row by column; undefined for empty cells. */
function readCells(cells: readonly string[], header: Header) {
  const cell = (group: ColumnGroup) =>
    cells[header.findIndex((column) => column?.group === group)]?.trim() || undefined
  const values = (group: ColumnGroup) => {
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

function errorInShape(cells: readonly string[], header: Header): string | undefined {
  const surplus = cells.findIndex((cell, index) => cell.trim() && !header[index])
  if (surplus < 0) return undefined
  return `cell ${surplus + 1} has no column in the header; quote a cell that contains separators`
}

function errorIn(
  fields: Fields,
  operation: Operation | undefined,
  allowed: readonly Operation[]
): string | undefined {
  if (!operation) return `operation must be one of ${allowed.join(', ')}`
  if (!fields.publicId) return 'public_id is empty'
  if (!RESOURCE_TYPES.includes(fields.resourceType)) {
    return `resource_type must be one of ${RESOURCE_TYPES.join(', ')}`
  }
  if (!/^[a-z_]{1,50}$/.test(fields.deliveryType)) {
    return 'type must be a delivery type such as upload, private or authenticated'
  }
  for (const [argument, value] of Object.entries(fields.arguments)) {
    const isTaken = argument === ARGUMENTS[operation]
    if (isTaken && !value) return `${operation} needs ${argument}`
    if (!isTaken && value) return `${operation} does not take ${argument}`
  }
  const { metadata, context } = fields.arguments
  // the SDK escapes = and | with a backslash, but does not escape the backslash itself
  const ambiguous = Object.entries({ ...metadata, ...context }).find(([, value]) => /\\([=|]|$)/.test(value))
  return ambiguous && `${ambiguous[0]}: a value cannot have a backslash at its end or before = or |`
}

function taskOf(
  task: { row: number; asset: Target },
  operation: Operation,
  { tags = '', to_public_id: toPublicId = '', metadata, context }: Fields['arguments']
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
