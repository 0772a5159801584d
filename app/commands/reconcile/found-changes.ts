import type { FoundAsset } from '../../cloudinary/search.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import { foundEventId, uploadEventIds } from '../../ingest/event-identity.ts'
import { toEvents } from '../../ingest/notification.ts'
import type { ChangeKind } from './change-kinds.ts'

/** The last change of one kind to an asset, as found by a search. */
export interface FoundChange {
  kind: ChangeKind
  asset: FoundAsset
  /** Milliseconds since the epoch. */
  changedAt: number
}

export interface EventContext {
  /** The cloud that was searched. */
  environment: string
  /** The API key that the listener uses for this cloud. */
  ownKey: string
  /** Returns whether an API key is or was the listener's. */
  isOwnKey: (apiKey: string) => boolean
  receivedAt: Date
}

type Author = { source: 'api' | 'ui'; id: string }

/** Delivery types that can be uploaded to; `fetch`, for example, cannot. */
const UPLOADED_TYPES = ['upload', 'private', 'authenticated']

/** Tolerance in comparing times, in milliseconds: the Search API writes seconds, and clocks differ. */
export const TOLERANCE_MS = 2000

/** Returns the last change of a kind; undefined if there was none, or if it was part of the upload. */
export function changeOf(kind: ChangeKind, asset: FoundAsset): FoundChange | undefined {
  const changedAt = timeOf(kind.changedAt(asset))
  if (changedAt === undefined) return undefined
  const isChange =
    kind.type === 'upload'
      ? UPLOADED_TYPES.includes(asset.type)
      : changedAt > (timeOf(asset.uploaded_at) ?? Number.NEGATIVE_INFINITY) + TOLERANCE_MS
  return isChange ? { kind, asset, changedAt } : undefined
}

/**
 * Returns the event of a change. An upload gets the event ID that its notification would have had; the result
 * is undefined if the search does not identify the upload. The notification ID of any other change is a hash
 * of unknown bytes, so its event gets an ID that is the same each time the change is found.
 *
 * @param isByListener whether the listener is assumed to have made the change; for an upload, the search
 *   names the author
 */
export function eventOf(
  { kind, asset }: FoundChange,
  isByListener: boolean,
  context: EventContext
): AssetEvent | undefined {
  if (kind.type === 'upload') {
    const isIdentified = asset.asset_id && asset.version !== undefined
    return isIdentified ? notifiedEvent(kind, asset, uploaderOf(asset), context) : undefined
  }
  const author: Author | undefined = isByListener ? { source: 'api', id: context.ownKey } : undefined
  const event = notifiedEvent(kind, asset, author, context)
  return { ...event, id: foundEventId(context.environment, kind.type, asset.asset_id, event.occurredAt) }
}

/** Returns the IDs that a found event can have in the journal: for an upload also the ID without an etag. */
export function idsOf({ id, type, environment, asset }: AssetEvent): string[] {
  if (type !== 'upload') return [id]
  return [id, ...uploadEventIds(environment, { assetId: asset?.assetId, version: asset?.version })]
}

/** Makes the event from a notification body, as if Cloudinary had sent it. */
function notifiedEvent(
  kind: ChangeKind,
  asset: FoundAsset,
  author: Author | undefined,
  { environment, isOwnKey, receivedAt }: EventContext
): AssetEvent {
  const changedAt = kind.changedAt(asset)!
  const body = {
    ...kind.describe(asset),
    notification_type: kind.type,
    timestamp: changedAt,
    ...(author && { notification_context: { triggered_by: author } })
  }
  const [event] = toEvents(Buffer.from(JSON.stringify(body)), {
    environment,
    isOwnKey,
    receivedAt,
    signedAt: Math.floor(Date.parse(changedAt) / 1000),
    // there is no request, so this trace id finds all events of a pass in the log
    traceId: `Reconcile=${receivedAt.toISOString()}`
  })
  return { ...event!, reconciled: true }
}

/** `uploaded_by` has the API key, and also a user ID if a user of Cloudinary's console uploaded the asset. */
function uploaderOf({ uploaded_by: by }: FoundAsset): Author | undefined {
  if (typeof by !== 'object' || by === null) return undefined
  const { custom_id: user, access_key: key } = by as Record<string, unknown>
  if (typeof user === 'string' && user !== '') return { source: 'ui', id: user }
  return typeof key === 'string' ? { source: 'api', id: key } : undefined
}

const timeOf = (written: string | undefined) => (written === undefined ? undefined : Date.parse(written))
