/** The types of events that change an asset without deleting it. */
export const ASSET_CHANGES = [
  'upload',
  'rename',
  'move',
  'moderation',
  'access_control_changed',
  'resource_tags_changed',
  'resource_context_changed',
  'resource_display_name_changed',
  'resource_metadata_changed',
  'restore_asset_version'
] as const
