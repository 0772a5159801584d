import type { Asset, AssetEvent } from '../../ingest/event.ts'

/** A decision about an asset, by a person or an add-on. */
export interface Decision {
  status: 'approved' | 'rejected'
  /** `manual` for a person, otherwise the add-on, such as `aws_rek`. */
  kind: string
  /** Time of the decision, ISO 8601, UTC. */
  at: string
  environment: string
  /** The asset, by its current name. */
  asset: Asset
}

/** Kind of a decision by a person, who may overrule any other. */
export const BY_PERSON = 'manual'

/** Returns whether an event is a decision. Other statuses, such as `pending` and `aborted`, are not. */
export const isDecision = ({ payload }: AssetEvent): boolean =>
  payload.moderation_status === 'approved' || payload.moderation_status === 'rejected'

/** Reads the kind of moderation. */
export const kindOfModeration = ({ payload }: AssetEvent): string =>
  typeof payload.moderation_kind === 'string' && payload.moderation_kind !== ''
    ? payload.moderation_kind
    : 'unknown'

/** Reads a decision. Its time is Cloudinary's, or that of the event. */
export function decisionOf(event: AssetEvent, asset: Asset): Decision {
  const { payload, occurredAt, environment } = event
  const stated = Date.parse(String(payload.moderation_updated_at))
  return {
    status: payload.moderation_status === 'rejected' ? 'rejected' : 'approved',
    kind: kindOfModeration(event),
    at: new Date(Number.isNaN(stated) ? Date.parse(occurredAt) : stated).toISOString(),
    environment,
    asset
  }
}
