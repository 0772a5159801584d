import type { FoundAsset } from '../../cloudinary/search.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import { foundEventId, uploadEventIds } from '../../ingest/event-identity.ts'
import { toEvents } from '../../ingest/notification.ts'
import type { Side } from './tracked-changes.ts'

export interface FindingContext {
  /** The cloud that was searched. */
  environment: string
  /** The API key this listener calls it with. */
  ownKey: string
  /** Tells whether an API key is the listener's, or was. */
  isOwnKey: (apiKey: string) => boolean
  receivedAt: Date
}

type Author = { source: 'api' | 'ui'; id: string }

/**
 * The event that the notification of an upload would have made, by way of such a notification; its author is whom the
 * search names. Undefined where the search does not say which upload it was.
 */
export function uploadEvent(side: Side, asset: FoundAsset, context: FindingContext): AssetEvent | undefined {
  if (!asset.asset_id || asset.version === undefined) return undefined
  return eventOf(side, asset, uploaderOf(asset), context)
}

/**
 * An event for a change that was found. Its id cannot be that of the notification, whose bytes nobody has; it is the same
 * for whoever finds the change.
 *
 * @param byListener the listener itself is taken to have made it; who else did, the search does not say
 */
export function changeEvent(
  side: Side,
  asset: FoundAsset,
  byListener: boolean,
  context: FindingContext
): AssetEvent {
  const author: Author | undefined = byListener ? { source: 'api', id: context.ownKey } : undefined
  const event = eventOf(side, asset, author, context)
  return {
    ...event,
    id: foundEventId(context.environment, side.type, asset.asset_id, event.occurredAt)
  }
}

/**
 * The ids under which the journal can know an event that was found: its own, and of an upload the one that a notification
 * without an etag gave it.
 */
export function idsOf({ id, type, environment, asset }: AssetEvent): string[] {
  if (type !== 'upload') return [id]
  return [id, ...uploadEventIds(environment, { assetId: asset?.assetId, version: asset?.version })]
}

function eventOf(
  side: Side,
  asset: FoundAsset,
  author: Author | undefined,
  { environment, isOwnKey, receivedAt }: FindingContext
): AssetEvent {
  const changedAt = side.changedAt(asset)!
  const body = {
    ...side.describe(asset),
    notification_type: side.type,
    timestamp: changedAt,
    ...(author && { notification_context: { triggered_by: author } })
  }
  const [event] = toEvents(Buffer.from(JSON.stringify(body)), {
    environment,
    isOwnKey,
    receivedAt,
    signedAt: Math.floor(Date.parse(changedAt) / 1000),
    // no request brought it; so that all that a pass found can be looked for in the log
    traceId: `Reconcile=${receivedAt.toISOString()}`
  })
  return { ...event!, reconciled: true }
}

/** `uploaded_by` has the key that was used, and a user's id where it was a user of Cloudinary's own pages. */
function uploaderOf({ uploaded_by: by }: FoundAsset): Author | undefined {
  if (typeof by !== 'object' || by === null) return undefined
  const { custom_id: user, access_key: key } = by as Record<string, unknown>
  if (typeof user === 'string' && user !== '') return { source: 'ui', id: user }
  return typeof key === 'string' ? { source: 'api', id: key } : undefined
}
