/**
 * The notification types that Cloudinary is known to send. The list grows on Cloudinary's side: a type that
 * is not in it becomes an event of type `unknown`, with its own name kept in `notificationType`.
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

export const EVENT_TYPES = [...NOTIFICATION_TYPES, 'unknown'] as const

export type EventType = (typeof EVENT_TYPES)[number]

/** What a notification says of the asset it is about; older notifications leave some of it out. */
export interface Asset {
  /** Cloudinary's immutable id of the asset, 32 hexadecimal digits. */
  assetId?: string
  publicId?: string
  /** `image`, `video` or `raw`. Missing where neither a field nor a delivery URL of the notification states it. */
  resourceType?: string
  /** How it is delivered: `upload`, `private`, `authenticated`, … Missing as `resourceType` is. */
  deliveryType?: string
  /** Unix time, in seconds, of the asset's last upload. */
  version?: number
}

/** Who made the change, as far as Cloudinary says (`notification_context`, in notifications since 2024). */
export interface Origin {
  source: string | null
  /** The calling API key where `source` is `api`; a user's id where it is `ui`. */
  id: string | null
  /** The change was made with the API key this listener itself calls Cloudinary with. */
  own: boolean
}

/** One thing that happened to one asset: the unit of storing, ordering, retrying and replaying. */
export interface AssetEvent {
  /** The event's identity: the same for every delivery of the same event. Hexadecimal. */
  id: string
  type: EventType
  /** `notification_type` as Cloudinary wrote it; null where the body has none. */
  notificationType: string | null
  /** The Cloudinary cloud (product environment) whose secret verified the notification. */
  environment: string
  /** Null for events that are not about one asset, such as `create_folder`. */
  asset: Asset | null
  /** Events of one group are processed in order; the SQS message group. */
  group: string
  /** When it happened, by Cloudinary's clock; ISO 8601, UTC. */
  occurredAt: string
  /** When this listener received it; ISO 8601, UTC. */
  receivedAt: string
  /**
   * When Cloudinary signed this delivery (`X-Cld-Timestamp`); ISO 8601, UTC. Only there where the id comes from the body
   * and the body states neither a time nor a request id: such a body can be sent for two different changes, and a
   * delivery signed later than a retry can be is another event.
   */
  signedAt?: string
  origin: Origin
  /**
   * Set when an operator has it run again, by `redrive` or `replay`; each has an id of its own. What is redriven out of a
   * replay still belongs to it, and `replay` is the id of that.
   */
  run?: { kind: 'replay'; id: string } | { kind: 'redrive'; id: string; replay?: string }
  /**
   * Nothing told of it: `reconcile` found it by a search. Its payload has what the asset was like when it was found; what
   * a change was like before, and often who made it, is not known.
   */
  reconciled?: true
  /** `X-Amzn-Trace-Id` of the request that brought it. */
  traceId?: string
  /**
   * The part of the notification that is about this asset: the fields all its assets share (without the
   * `resources` collection) and the asset's own. A body that is not a JSON object is kept under `body`.
   */
  payload: Record<string, unknown>
}

/** The id of the replay that a run belongs to, where it does. */
export const replayOf = (run: AssetEvent['run']): string | undefined =>
  run?.kind === 'replay' ? run.id : run?.replay
