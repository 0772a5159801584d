import type { ActivityEvent } from '../activity/activity-store.ts'
import type { AssetEvent } from '../ingest/event.ts'

/** Maximum number of names in a list, and their maximum length. A row shows no more. */
const MAXIMUM_NAMES = 20
const MAXIMUM_NAME_LENGTH = 100

/** Returns the change of an event: names of tags, keys or fields, or the old and the new public id. */
export function eventChange({
  type,
  payload
}: Pick<AssetEvent, 'type' | 'payload'>): ActivityEvent['change'] {
  const { added, removed, updated } = payload
  switch (type) {
    case 'resource_tags_changed':
    case 'resource_context_changed':
      return changeOf([...namesIn(added), ...namesIn(updated)], namesIn(removed))
    case 'resource_metadata_changed':
      return metadataChange(payload.previous_metadata, payload.new_metadata)
    case 'rename':
      return changeOf(namesIn([payload.to_public_id]), namesIn([payload.from_public_id]))
    default:
      return undefined
  }
}

function metadataChange(before: unknown, after: unknown): ActivityEvent['change'] {
  const old = fieldsOf(before)
  const current = fieldsOf(after)
  const isChanged = (name: string) => JSON.stringify(old[name]) !== JSON.stringify(current[name])
  return changeOf(
    Object.keys(current).filter(isChanged),
    Object.keys(old).filter((name) => !Object.hasOwn(current, name))
  )
}

function changeOf(added: string[], removed: string[]): ActivityEvent['change'] {
  if (added.length + removed.length === 0) return undefined
  return {
    ...(added.length > 0 && { added: cut(added) }),
    ...(removed.length > 0 && { removed: cut(removed) })
  }
}

const cut = (names: string[]): string[] =>
  names.slice(0, MAXIMUM_NAMES).map((name) => name.slice(0, MAXIMUM_NAME_LENGTH).toWellFormed())

/** Cloudinary sends a list of names, a list of objects with a name, or a map. */
function namesIn(given: unknown): string[] {
  if (!Array.isArray(given)) return Object.keys(fieldsOf(given))
  return given
    .map((entry: unknown) => (typeof entry === 'string' ? entry : fieldsOf(entry).name))
    .filter((name) => typeof name === 'string')
}

const fieldsOf = (given: unknown): Record<string, unknown> =>
  typeof given === 'object' && given !== null && !Array.isArray(given)
    ? (given as Record<string, unknown>)
    : {}
