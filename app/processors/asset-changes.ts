/** The types of events after which an asset is not what it was, but still there. */
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
