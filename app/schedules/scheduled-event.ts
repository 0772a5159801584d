import { contextOf, type FoundAsset } from '../cloudinary/search.ts'
import type { AssetEvent } from '../ingest/event.ts'
import { assetGroup, scheduledEventId } from '../ingest/event-identity.ts'

export interface ScheduledSearch {
  /** The cloud that was searched. */
  environment: string
  /** Name of the schedule. */
  schedule: string
  /** The time at which the schedule was due; ISO 8601, UTC. */
  slot: string
  /** When it was searched; ISO 8601, UTC. */
  receivedAt: string
  traceId?: string
}

/**
 * Returns the event of an asset that a schedule found. A repeated search for the same slot returns the same id.
 * The payload is the asset as the search found it: search results lag changes by seconds.
 */
export function scheduledEvent(asset: FoundAsset, search: ScheduledSearch): AssetEvent {
  const { environment, schedule, slot, receivedAt, traceId } = search
  const { context, ...fields } = asset
  const { asset_id: assetId, public_id: publicId, resource_type: resourceType, type, version } = asset
  return {
    id: scheduledEventId(environment, schedule, slot, assetId),
    type: 'scheduled_search',
    notificationType: null,
    environment,
    asset: { assetId, publicId, resourceType, deliveryType: type, ...(version !== undefined && { version }) },
    group: assetGroup(environment, assetId),
    occurredAt: slot,
    receivedAt,
    origin: { source: null, id: null, own: false },
    ...(traceId && { traceId }),
    payload: { ...fields, ...(context && { context: contextOf(asset) }), schedule, scheduled_at: slot }
  }
}
