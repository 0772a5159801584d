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

/** Each type but `unknown` has a schema in `payloads/payloads.ts`, also one that is not a notification. */
export const EVENT_TYPES = [...NOTIFICATION_TYPES, ...OWN_TYPES, 'unknown'] as const

export type EventType = (typeof EVENT_TYPES)[number]

/** A type whose payload is known. */
export type KnownType = Exclude<EventType, 'unknown'>

export const KNOWN_TYPES: readonly KnownType[] = EVENT_TYPES.filter((type) => type !== 'unknown')
