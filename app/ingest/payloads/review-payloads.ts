import { z } from 'zod'
import {
  ASSET_ID,
  ETAG,
  IDENTITY,
  MAYBE_KIND,
  PUBLIC_ID,
  payload,
  URL_HTTP,
  URL_HTTPS,
  VERSION
} from './payload-fields.ts'

/**
 * [seen] Three captures of 2020 have no `asset_id`, those of 2022 do; none has resource type or type. Their
 * URLs state the kind of the asset.
 */
const REVIEWED = {
  asset_id: ASSET_ID.optional(),
  public_id: PUBLIC_ID,
  ...MAYBE_KIND,
  version: VERSION.optional(),
  url: URL_HTTP.optional(),
  secure_url: URL_HTTPS.optional(),
  etag: ETAG.optional(),
  uploaded_at: z.string().describe('Time of the upload, ISO 8601.').optional()
}

const STATUS = z.string().describe('`approved`, `rejected`, `pending`, …')

/** Reviews of an asset by a person or an add-on. */
export const REVIEW_PAYLOADS = {
  moderation: payload(
    'moderation',
    {
      description: 'A moderation of an asset has ended or was overridden. The asset may no longer exist.',
      evidence: 'captured'
    },
    {
      ...REVIEWED,
      moderation_status: STATUS,
      moderation_kind: z.string().describe('`manual`, or the add-on, such as `aws_rek`.'),
      moderation_response: z.unknown().describe('The answer of the add-on.').optional(),
      moderation_updated_at: z.string().describe('ISO 8601.').optional()
    }
  ),
  // [assumed] the `moderation` list of an upload, and the total
  moderation_summary: payload(
    'moderation_summary',
    { description: 'All moderations of an asset have ended.', evidence: 'assumed' },
    {
      ...REVIEWED,
      moderation_status: STATUS.optional(),
      moderation: z
        .array(z.looseObject({ kind: z.string().optional(), status: z.string().optional() }))
        .describe('Each moderation.')
        .optional()
    }
  ),
  // [seen]
  info: payload(
    'info',
    { description: 'An add-on has analysed an asset.', evidence: 'captured' },
    {
      ...REVIEWED,
      info_kind: z.string().describe('The add-on, such as `google_speech`.'),
      info_status: z.string().describe('`complete`, `failed`, …'),
      info_data: z.unknown().describe('The answer of the add-on.').optional()
    }
  ),
  // [seen]
  proof_status_changed: payload(
    'proof_status_changed',
    {
      description: 'The status of a proof (a review of assets) changed.',
      evidence: 'captured',
      body: 'assets'
    },
    {
      asset_id: ASSET_ID.optional(),
      public_id: IDENTITY.public_id.optional(),
      ...MAYBE_KIND,
      proof_id: z.string().optional(),
      proof_name: z.string().optional(),
      previous_status: z.string().optional(),
      new_status: z.string().optional(),
      stage_name: z.string().optional(),
      stage_number: z.number().optional(),
      reviewer: z.looseObject({ id: z.string().optional(), name: z.string().optional() }).nullish()
    }
  )
}
