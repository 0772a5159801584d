/**
 * The known notification types of Cloudinary, which adds types over time. A notification of another type
 * becomes an event of type `unknown` with the type's name in `notificationType`.
 */
export const NOTIFICATION_TYPES = [
  'access_control_changed',
  'bulk_refresh_auto_fetch',
  'create_folder',
  'delete',
  'delete_by_token',
  'delete_folder',
  'eager',
  'error',
  'explode',
  'generate_archive',
  'info',
  'invalidate_custom_cdn',
  'moderation',
  'moderation_summary',
  'move',
  'move_or_rename_asset_folder',
  'multi',
  'proof_status_changed',
  'publish',
  'related_assets',
  'rename',
  'report',
  'resource_context_changed',
  'resource_display_name_changed',
  'resource_metadata_changed',
  'resource_tags_changed',
  'restore_asset_version',
  'sprite',
  'upload'
] as const

/** Types of events that the listener makes itself: Cloudinary sends no notification of them. */
export const OWN_TYPES = ['scheduled_search'] as const

export const EVENT_TYPES = [...NOTIFICATION_TYPES, ...OWN_TYPES, 'unknown'] as const

export type EventType = (typeof EVENT_TYPES)[number]

/** The asset of a notification. Older notifications leave out some fields. */
export interface Asset {
  /** Cloudinary's immutable id of the asset, 32 hexadecimal digits. */
  assetId?: string
  publicId?: string
  /** `image`, `video` or `raw`. Missing if no field or delivery URL of the notification states it. */
  resourceType?: string
  /** `upload`, `private`, `authenticated`, … Missing like `resourceType`. */
  deliveryType?: string
  /** Unix time, in seconds, of the asset's last upload. */
  version?: number
}

/** Who made the change (`notification_context`, in notifications since 2024). */
export interface Origin {
  source: string | null
  /** The calling API key if `source` is `api`; the user's id if it is `ui`. */
  id: string | null
  /** True if the change was made with the listener's own API key. */
  own: boolean
}

/** Who requested a redrive or a replay, when and where. */
export interface RunOrigin {
  by: string
  /** ISO 8601, UTC. */
  at: string
  from: 'page' | 'api' | 'command'
}

/** One change of one asset: the unit of storage, ordering, retries and replays. */
export interface AssetEvent {
  /** Identifies the event: the same for all its deliveries. Hexadecimal. */
  id: string
  type: EventType
  /** `notification_type` as Cloudinary wrote it; null if the body has none. */
  notificationType: string | null
  /** Name of the Cloudinary cloud (product environment) whose secret verified the notification. */
  environment: string
  /** Null for events without an asset, such as `create_folder`. */
  asset: Asset | null
  /** SQS message group: events of one group are processed in order. */
  group: string
  /** Time of the change by Cloudinary's clock; ISO 8601, UTC. */
  occurredAt: string
  /** Time at which the listener received the notification; ISO 8601, UTC. */
  receivedAt: string
  /**
   * Time at which Cloudinary signed this delivery (`X-Cld-Timestamp`); ISO 8601, UTC. Set only if the id
   * comes from the body and the body has no time and no request id. Two different changes can have the same
   * such body: a delivery signed later than any retry could be is another event.
   */
  signedAt?: string
  origin: Origin
  /**
   * Set for a redrive or a replay; each has its own id. An event that is redriven after a replay keeps the id
   * of the replay in `replay`. Messages from before 0.3.0 have no origin.
   */
  run?: ({ kind: 'replay'; id: string } | { kind: 'redrive'; id: string; replay?: string }) &
    Partial<RunOrigin>
  /**
   * Set if `reconcile` found the change by a search and no notification was received. The payload is the
   * state of the asset when it was found. The previous state, and often the origin, are not known.
   */
  reconciled?: true
  /** The role that received it. Missing for a change that `reconcile` found, and before 0.3.0. */
  source?: 'web' | 'poll'
  /** `X-Amzn-Trace-Id` of the request with the notification. */
  traceId?: string
  /**
   * The part of the notification for this asset: the fields that all assets share (without the `resources`
   * collection) and the asset's own. A body that is not a JSON object is kept under `body`.
   */
  payload: Record<string, unknown>
}

/** Returns the id of the replay that a run belongs to, if any. */
export const replayOf = (run: AssetEvent['run']): string | undefined =>
  run?.kind === 'replay' ? run.id : run?.replay
