import type { EventType } from './event.ts'

/** A property that an event changed. A value is undefined if it did not exist or was not in the payload. */
export interface PropertyChange {
  /** For example `tags`, `cms_id` of the metadata, or `public id`. */
  property: string
  kind: 'tags' | 'metadata' | 'context' | 'name' | 'folder' | 'access' | 'moderation'
  before?: string
  after?: string
}

/** Summary of a change for a list: tags and fields, or the old and the new name. */
export interface ChangeSummary {
  added?: string[]
  removed?: string[]
}

type Fields = Readonly<Record<string, unknown>>

/** Maximum number of entries per side of a summary, and their length in characters. The journal stores it. */
const MAX_ENTRIES = 20
const MAX_ENTRY_LENGTH = 200

/** Returns the changes in a notification: one entry for each tag, field or name. */
export function propertyChanges(type: EventType, payload: unknown): PropertyChange[] {
  const fields = fieldsOf(payload)
  switch (type) {
    case 'resource_tags_changed':
      return tagChanges(fields)
    case 'resource_metadata_changed':
      return beforeAndAfter('metadata', fieldsOf(fields.previous_metadata), fieldsOf(fields.new_metadata))
    case 'resource_context_changed':
      return contextChanges(fields)
    case 'resource_display_name_changed':
      return named('name', 'display name', fields.previous_display_name, fields.new_display_name)
    case 'rename':
      return named('name', 'public id', fields.from_public_id, fields.to_public_id)
    case 'move':
      return [
        ...named('folder', 'asset folder', fields.from_asset_folder, fields.to_asset_folder),
        ...named('folder', 'folder', fields.from_folder, fields.to_folder)
      ]
    case 'create_folder':
      return named('folder', 'folder', undefined, fields.folder_path ?? fields.folder_name)
    case 'delete_folder':
      return named('folder', 'folder', fields.folder_path ?? fields.folder_name, undefined)
    case 'move_or_rename_asset_folder':
      return named('folder', 'folder', fields.from_path, fields.to_path)
    case 'access_control_changed':
      return named('access', 'access control', fields.previous_access_control, fields.new_access_control)
    case 'moderation':
      return named('moderation', 'moderation', undefined, fields.moderation_status)
    default:
      return []
  }
}

/**
 * Returns the summary of an event's changes. Tags count as added or removed. A field of metadata or context
 * counts as added if it has a value now, else as removed. A changed name or folder counts as both: the new
 * value is added, the old one removed.
 */
export function changeSummary(type: EventType, payload: unknown): ChangeSummary | undefined {
  const added: string[] = []
  const removed: string[] = []
  for (const { kind, property, before, after } of propertyChanges(type, payload)) {
    const isField = kind === 'metadata' || kind === 'context'
    if (after !== undefined) added.push(isField ? property : after)
    if (before !== undefined && (!isField || after === undefined)) removed.push(isField ? property : before)
  }
  if (added.length === 0 && removed.length === 0) return undefined
  return {
    ...(added.length > 0 && { added: cut(added) }),
    ...(removed.length > 0 && { removed: cut(removed) })
  }
}

const cut = (entries: readonly string[]): string[] =>
  entries.slice(0, MAX_ENTRIES).map((entry) => entry.slice(0, MAX_ENTRY_LENGTH).toWellFormed())

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const textOf = (value: unknown): string | undefined => {
  if (value === undefined || value === null) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function named(kind: PropertyChange['kind'], property: string, from: unknown, to: unknown): PropertyChange[] {
  const before = textOf(from)
  const after = textOf(to)
  return before === after ? [] : [change(kind, property, before, after)]
}

const change = (
  kind: PropertyChange['kind'],
  property: string,
  before: string | undefined,
  after: string | undefined
): PropertyChange => ({
  kind,
  property,
  ...(before !== undefined && { before }),
  ...(after !== undefined && { after })
})

/** `updated` contains tags that existed in another spelling. */
const tagChanges = ({ added, updated, removed }: Fields): PropertyChange[] => [
  ...[...listOf(added), ...listOf(updated)].map((tag) => change('tags', 'tag', undefined, textOf(tag))),
  ...listOf(removed).map((tag) => change('tags', 'tag', textOf(tag), undefined))
]

function beforeAndAfter(kind: PropertyChange['kind'], before: Fields, after: Fields): PropertyChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].flatMap((name) => named(kind, name, before[name], after[name]))
}

/** Entries are objects by name, lists of `{ name, value }` or, if removed, lists of names. */
function contextChanges({ added, updated, removed }: Fields): PropertyChange[] {
  const now = [...contextEntries(added), ...contextEntries(updated)]
  return [
    ...now.map(([name, value]) => change('context', name, undefined, textOf(value))),
    ...contextEntries(removed).map(([name, value]) => change('context', name, textOf(value) ?? '', undefined))
  ]
}

function contextEntries(given: unknown): [string, unknown][] {
  if (!Array.isArray(given)) return Object.entries(fieldsOf(given))
  return given.map((entry) => {
    const { name, value } = fieldsOf(entry)
    return typeof name === 'string' ? [name, value] : [String(textOf(entry)), undefined]
  })
}
