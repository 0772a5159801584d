import { z } from 'zod'
import {
  ASSET_FOLDER,
  ASSET_ID,
  DISPLAY_NAME,
  IDENTITY,
  MAYBE_KIND,
  METADATA,
  PUBLIC_ID,
  payload,
  VERSION
} from './payload-fields.ts'

/** [seen] Both forms, each in one consumer; names alone if removed. */
const CONTEXT_CHANGE = z.union([
  z.array(z.union([z.string(), z.looseObject({ name: z.string(), value: z.unknown().optional() })])),
  z.record(z.string(), z.unknown())
])

/** [doc] A rule of `access_control`: https://cloudinary.com/documentation/control_access_to_media */
const ACCESS_CONTROL = z
  .array(
    z.looseObject({
      access_type: z.string().describe('`token` or `anonymous`.'),
      start: z.string().describe('ISO 8601.').nullish(),
      end: z.string().describe('ISO 8601.').nullish()
    })
  )
  .nullable()

/**
 * [doc, seen] Entries of deletions. Older ones lack the kind of the asset, and some name the public id alone;
 * no deletion states a time.
 */
const DELETED = {
  asset_id: ASSET_ID.optional(),
  public_id: PUBLIC_ID,
  ...MAYBE_KIND,
  version: VERSION.optional(),
  asset_folder: ASSET_FOLDER.optional(),
  display_name: DISPLAY_NAME.optional()
}

/** Assets that were changed, moved, renamed or deleted. */
export const CHANGE_PAYLOADS = {
  // [doc]; `updated` [seen] in one consumer
  resource_tags_changed: payload(
    'resource_tags_changed',
    { description: 'Tags of an asset were added or removed.', evidence: 'documented', body: 'list' },
    {
      ...IDENTITY,
      added: z.array(z.string()).describe('Tags that the asset did not have before.'),
      removed: z.array(z.string()).describe('Tags that the asset no longer has.'),
      updated: z.array(z.string()).describe('Tags that existed in another spelling.').optional()
    }
  ),
  resource_context_changed: payload(
    'resource_context_changed',
    { description: 'Contextual metadata of an asset changed.', evidence: 'documented', body: 'map' },
    {
      ...IDENTITY,
      added: CONTEXT_CHANGE.describe('New values: by name, or a list of `{name, value}`.').optional(),
      removed: CONTEXT_CHANGE.describe('Removed values: like `added`, or a list of names.').optional(),
      updated: CONTEXT_CHANGE.describe('Changed values: like `added`.').optional()
    }
  ),
  // [doc] all fields of the asset, or only those written: both are accepted
  resource_metadata_changed: payload(
    'resource_metadata_changed',
    { description: 'Structured metadata of an asset changed.', evidence: 'documented', body: 'map' },
    {
      ...IDENTITY,
      previous_metadata: METADATA.describe('Values before the change, by external id of the field.'),
      new_metadata: METADATA.describe('Values after the change, by external id of the field.')
    }
  ),
  // [doc], and consumers of it
  resource_display_name_changed: payload(
    'resource_display_name_changed',
    { description: 'The display name of an asset changed.', evidence: 'documented', body: 'map' },
    {
      ...IDENTITY,
      previous_display_name: z.string().optional(),
      new_display_name: z.string(),
      asset_folder: ASSET_FOLDER.optional()
    }
  ),
  // [doc]
  access_control_changed: payload(
    'access_control_changed',
    { description: 'The access control of an asset changed.', evidence: 'documented', body: 'list' },
    {
      ...IDENTITY,
      previous_access_control: ACCESS_CONTROL.describe('Rules before the change.').optional(),
      new_access_control: ACCESS_CONTROL.describe('Rules after the change.')
    }
  ),
  // [doc] asset folders in dynamic folder mode, folders in fixed folder mode
  move: payload(
    'move',
    { description: 'An asset was moved to another folder.', evidence: 'documented', body: 'map' },
    {
      ...IDENTITY,
      from_asset_folder: z.string().describe('The old asset folder (dynamic folder mode).').optional(),
      to_asset_folder: z.string().describe('The new asset folder (dynamic folder mode).').optional(),
      display_name: DISPLAY_NAME.optional(),
      from_folder: z.string().describe('The old folder (fixed folder mode).').optional(),
      to_folder: z.string().describe('The new folder (fixed folder mode).').optional()
    }
  ),
  // [doc, seen]; older ones lack the kind of the asset
  rename: payload(
    'rename',
    { description: 'An asset got another public id or delivery type.', evidence: 'captured' },
    {
      asset_id: ASSET_ID.optional(),
      from_public_id: z.string().describe('The old public id.'),
      to_public_id: z.string().describe('The new public id.'),
      ...MAYBE_KIND,
      to_type: z.string().describe('The new delivery type, if it changed.').optional(),
      asset_folder: ASSET_FOLDER.optional(),
      display_name: DISPLAY_NAME.optional()
    }
  ),
  delete: payload(
    'delete',
    { description: 'An asset was deleted.', evidence: 'captured', body: 'list' },
    DELETED
  ),
  // [assumed] like `delete`
  delete_by_token: payload(
    'delete_by_token',
    {
      description: 'An asset was deleted with the delete token of its upload.',
      evidence: 'assumed',
      body: 'list'
    },
    DELETED
  ),
  // [assumed]
  publish: payload(
    'publish',
    { description: 'An asset was published.', evidence: 'assumed', body: 'list' },
    DELETED
  )
}
