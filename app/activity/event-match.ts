import type { ActivityEvent, ActivityFilter } from './activity-store.ts'

/** Returns whether a filter needs the payload of an event. */
export const needsPayload = ({ text, tag, folder }: ActivityFilter): boolean =>
  text !== undefined || tag !== undefined || folder !== undefined

/**
 * Returns whether a filter selects an event. Without the payload, `text` never matches, `tag` matches only
 * tags that the event added or removed, and `folder` matches the public id.
 */
export function matches(event: ActivityEvent, filter: ActivityFilter, payload?: unknown): boolean {
  const { assetId, prefix, trace } = filter
  return (
    (!filter.status || filter.status.includes(event.status)) &&
    (!filter.type || filter.type.includes(event.type)) &&
    (!filter.environment || event.environment === filter.environment) &&
    (!assetId || event.asset?.assetId === assetId) &&
    (!prefix || event.asset?.publicId?.startsWith(prefix) === true) &&
    (!filter.source || event.source === filter.source) &&
    (!filter.from || event.receivedAt >= filter.from) &&
    (!filter.until || event.receivedAt <= filter.until) &&
    (!trace || event.traceId?.includes(trace) === true) &&
    (filter.minimumAttempts === undefined || event.attempts >= filter.minimumAttempts) &&
    matchesWho(event, filter.who) &&
    matchesProcessors(event, filter) &&
    (!filter.tag || tagsOf(event, payload).includes(filter.tag)) &&
    (!filter.folder || isWithin(folderOf(event, payload), filter.folder)) &&
    (!filter.text || containsText(payload, filter.text))
  )
}

function matchesWho({ origin }: ActivityEvent, who: string | undefined): boolean {
  if (who === undefined) return true
  if (who === 'own') return origin.own
  return who === 'other' ? !origin.own : origin.id === who
}

/** Returns whether a single processor meets all conditions on processors. */
function matchesProcessors({ processors, lastError }: ActivityEvent, filter: ActivityFilter): boolean {
  const { processor, outcome, code, minimumMilliseconds } = filter
  if (processor === undefined && !outcome && !code && minimumMilliseconds === undefined) return true
  const hasRecord = Object.entries(processors).some(
    ([name, record]) =>
      (processor === undefined || name === processor) &&
      (!outcome || record.outcome === outcome) &&
      (!code || ('code' in record && record.code === code)) &&
      (minimumMilliseconds === undefined ||
        ('milliseconds' in record && record.milliseconds >= minimumMilliseconds))
  )
  // the last error may belong to a processor that has been retried since
  const isLastError =
    code !== undefined && !outcome && minimumMilliseconds === undefined && lastError?.code === code
  return hasRecord || (isLastError && (processor === undefined || lastError.processor === processor))
}

const fieldsOf = (payload: unknown): Record<string, unknown> =>
  typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {}

function tagsOf({ change }: ActivityEvent, payload: unknown): readonly unknown[] {
  const { tags } = fieldsOf(payload)
  return [...(change?.added ?? []), ...(change?.removed ?? []), ...(Array.isArray(tags) ? tags : [])]
}

/** Returns the asset folder if the payload has one (dynamic folders), else the folder in the public id. */
function folderOf({ asset }: ActivityEvent, payload: unknown): string {
  const { asset_folder: assetFolder } = fieldsOf(payload)
  if (typeof assetFolder === 'string') return assetFolder
  return asset?.publicId?.includes('/') ? asset.publicId.slice(0, asset.publicId.lastIndexOf('/')) : ''
}

function isWithin(folder: string, parent: string): boolean {
  const wanted = parent.replace(/^\/+|\/+$/g, '')
  return folder === wanted || folder.startsWith(`${wanted}/`)
}

const containsText = (payload: unknown, wanted: string): boolean =>
  payload !== undefined && JSON.stringify(payload).toLowerCase().includes(wanted.toLowerCase())
