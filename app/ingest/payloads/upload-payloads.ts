import { z } from 'zod'
import {
  ASSET_FOLDER,
  ASSET_ID,
  DELIVERY_TYPE,
  DISPLAY_NAME,
  ETAG,
  IDENTITY,
  METADATA,
  PUBLIC_ID,
  payload,
  RESOURCE_TYPE,
  URL_HTTP,
  URL_HTTPS,
  VERSION
} from './payload-fields.ts'

/** [doc, seen] An asset in full, as in an answer of the Upload API. */
const STORED = {
  asset_id: ASSET_ID,
  public_id: PUBLIC_ID,
  version: VERSION,
  version_id: z.string().describe('Id of the version.').optional(),
  resource_type: RESOURCE_TYPE,
  type: DELIVERY_TYPE,
  created_at: z.string().describe('Time of the first upload, ISO 8601.'),
  tags: z.array(z.string()),
  bytes: z.number().describe('Size in bytes.'),
  etag: ETAG,
  url: URL_HTTP,
  secure_url: URL_HTTPS
}

/** [doc, seen] What depends on the kind of the asset, the folder mode, and the parameters of the upload. */
const DETAILS = {
  width: z.number().describe('In pixels. Not for raw assets.').optional(),
  height: z.number().describe('In pixels. Not for raw assets.').optional(),
  format: z
    .string()
    .describe('Such as `jpg`. Not for raw assets, whose public id has the extension.')
    .optional(),
  placeholder: z.boolean().optional(),
  asset_folder: ASSET_FOLDER.optional(),
  display_name: DISPLAY_NAME.optional(),
  folder: z.string().describe('Folder of the public id, in fixed folder mode.').optional(),
  original_filename: z.string().describe('Name of the uploaded file, without extension.').optional(),
  upload_preset: z.string().optional(),
  api_key: z.string().describe('The API key of the upload.').optional(),
  existing: z.boolean().describe('True if the same bytes were uploaded before: nothing changed.').optional(),
  overwritten: z.boolean().describe('True if the upload replaced an asset.').optional(),
  context: z
    .looseObject({ custom: z.record(z.string(), z.string()).describe('Values by name.').optional() })
    .describe('Contextual metadata, where set.')
    .optional(),
  metadata: METADATA.optional(),
  pages: z.number().describe('Of a document or an animated image.').optional(),
  duration: z.number().describe('Of a video, in seconds.').optional(),
  frame_rate: z.number().describe('Of a video.').optional(),
  bit_rate: z.number().describe('Of a video.').optional(),
  nb_frames: z.number().describe('Of a video.').optional(),
  rotation: z.number().describe('Of a video, in degrees.').optional(),
  is_audio: z.boolean().describe('True if a video has no picture.').optional(),
  audio: z.record(z.string(), z.unknown()).describe('Codec, bit rate, … of a video.').optional(),
  video: z.record(z.string(), z.unknown()).describe('Codec, bit rate, … of a video.').optional(),
  playback_url: z.string().describe('Of a video: adaptive streaming.').optional(),
  access_control: z.array(z.looseObject({})).describe('Rules of access, where set.').nullish(),
  eager: z.array(z.looseObject({})).describe('Transformations made with the upload.').optional(),
  moderation: z
    .array(
      z.looseObject({
        kind: z.string().describe('`manual`, or the add-on.'),
        status: z.string().describe('`pending`, `approved`, `rejected`, …')
      })
    )
    .describe('Requested moderations.')
    .optional(),
  info: z.record(z.string(), z.unknown()).describe('Results of add-ons.').optional()
}

/** Assets that were stored. */
export const UPLOAD_PAYLOADS = {
  // [doc] fields; [seen] many captures, the newest of 2026
  upload: payload(
    'upload',
    {
      description:
        'An asset was uploaded or replaced, including asynchronous uploads and uploads of the same bytes.',
      evidence: 'captured'
    },
    { ...STORED, ...DETAILS }
  ),
  // [assumed] the answer of the Admin API's restore, which has the fields of an upload
  restore_asset_version: payload(
    'restore_asset_version',
    { description: 'An earlier version of an asset was restored from the backup.', evidence: 'assumed' },
    { ...z.object(STORED).partial().shape, ...DETAILS, public_id: PUBLIC_ID }
  ),
  // [doc] the answer of the Upload API's generate_archive
  generate_archive: payload(
    'generate_archive',
    { description: 'An archive (zip, tgz) of assets was generated as a raw asset.', evidence: 'documented' },
    {
      ...IDENTITY,
      ...z.object(STORED).omit({ asset_id: true, public_id: true, resource_type: true, type: true }).partial()
        .shape,
      resource_count: z.number().describe('Number of assets in it.').optional(),
      file_count: z.number().describe('Number of files in it.').optional()
    }
  )
}
