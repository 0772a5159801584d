import { z } from 'zod'
import { ASSET_ID, MAYBE_KIND, PUBLIC_ID, payload, URL_HTTP, URL_HTTPS, VERSION } from './payload-fields.ts'

const BATCH_ID = z.string().describe('The `batch_id` in the answer to the request.')

/** [seen] A result, or `{status: "failed", reason}`. Entries of HLS lack width and height. */
const EAGER_ENTRY = z.looseObject({
  transformation: z.string().describe("In Cloudinary's normal form: decoded and sorted.").optional(),
  format: z.string().optional(),
  width: z.number().describe('In pixels.').optional(),
  height: z.number().describe('In pixels.').optional(),
  bytes: z.number().optional(),
  url: URL_HTTP.optional(),
  secure_url: URL_HTTPS.optional(),
  status: z.string().describe('`failed` or `processing`; missing if it was made.').optional(),
  reason: z.string().describe('Why it failed.').optional(),
  batch_id: BATCH_ID.optional()
})

/** [seen] None of these states the kind of the asset; delivery URLs do. */
const ORIGINAL = {
  asset_id: ASSET_ID.optional(),
  public_id: PUBLIC_ID.optional(),
  ...MAYBE_KIND
}

/** Files that were derived from assets. */
export const DERIVED_PAYLOADS = {
  // [seen] captures of 2022 and 2026: no resource type, type or duration
  eager: payload(
    'eager',
    {
      description: 'Transformations that were requested in the background have ended or failed.',
      evidence: 'captured'
    },
    {
      ...ORIGINAL,
      public_id: PUBLIC_ID,
      eager: z.array(EAGER_ENTRY).describe('A result per transformation.'),
      batch_id: BATCH_ID.optional(),
      api_key: z.string().describe('The API key of the request.').optional()
    }
  ),
  // [doc] of the Upload API
  explode: payload(
    'explode',
    { description: 'The pages of a document or an animated image were derived.', evidence: 'documented' },
    {
      ...ORIGINAL,
      pages: z.number().optional(),
      image_infos: z.array(z.looseObject({})).describe('A file per page: `url`, `bytes`, …').optional(),
      batch_id: BATCH_ID.optional()
    }
  ),
  // [doc] the answer of the Upload API's multi
  multi: payload(
    'multi',
    { description: 'An animated image or a PDF was made of all images with a tag.', evidence: 'documented' },
    { ...ORIGINAL, version: VERSION.optional(), url: URL_HTTP.optional(), secure_url: URL_HTTPS.optional() }
  ),
  // [doc] the answer of the Upload API's sprite
  sprite: payload(
    'sprite',
    { description: 'A sprite was made of all images with a tag.', evidence: 'documented' },
    {
      ...ORIGINAL,
      version: VERSION.optional(),
      css_url: z.string().optional(),
      secure_css_url: z.string().optional(),
      json_url: z.string().optional(),
      image_url: z.string().optional(),
      secure_image_url: z.string().optional(),
      image_infos: z
        .record(z.string(), z.looseObject({}))
        .describe('Place and size in the sprite, by public id.')
        .optional()
    }
  )
}
