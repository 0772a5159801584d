import { z } from 'zod'

/**
 * Schemas of `event.payload` by type. They are forward-compatible: unknown fields pass, and a field is
 * optional if a captured delivery lacks it, or if only documentation or an assumption has it. What is known
 * comes from https://cloudinary.com/documentation/notifications and from captured deliveries.
 */

/** How well a type is known. */
export const EVIDENCE = {
  captured: 'captured deliveries',
  documented: "Cloudinary's documentation, and code of receivers; no delivery has been captured",
  assumed: 'assumed from similar answers of the API; no delivery has been captured'
} as const

/** The shape of the notification, of which an event has the part for one asset. */
export const BODIES = {
  flat: 'all fields at the top level; one event',
  list: '`resources`, a list with an entry per asset; one event per entry',
  map: '`resources`, a map by public id with an entry per asset; one event per entry',
  assets: '`assets`, a list with an entry per asset; one event per entry',
  search: 'none: the listener makes an event for each asset that a search found'
} as const

interface About {
  /** What the type means and when it is sent; a sentence. */
  description: string
  evidence: keyof typeof EVIDENCE
  body?: keyof typeof BODIES
}

/** [seen] `notification_context` and `signature_key` since 2024; `timestamp` and `request_id` in flat bodies. */
const SHARED = {
  timestamp: z.string().describe('Time of the notification, ISO 8601.').optional(),
  request_id: z.string().describe('Id of the request that caused the change.').optional(),
  source: z.string().describe('Who made the change: `api` or `ui`.').optional(),
  notification_context: z
    .looseObject({
      // captured as ISO 8601 with microseconds; described as microseconds
      triggered_at: z.union([z.string(), z.number()]).describe('Time of the change.').optional(),
      triggered_by: z
        .looseObject({
          source: z.string().describe('`api` or `ui`.').nullish(),
          id: z.string().describe('The calling API key, or the id of the user.').nullish()
        })
        .optional()
    })
    .describe('Who made the change, and when. Since 2024.')
    .optional(),
  signature_key: z.string().describe('The API key whose secret signs the notification.').optional()
}

/** Returns the schema of a notification type: its own fields and those that all types share. */
export const payload = <Type extends string, Shape extends z.ZodRawShape>(
  type: Type,
  { description, evidence, body = 'flat' }: About,
  shape: Shape
) =>
  z
    .looseObject({
      notification_type: z.literal(type).describe("Cloudinary's name of the type."),
      ...shape,
      ...SHARED
    })
    .meta({ title: type, description, 'x-body': body, 'x-evidence': evidence })

export const ASSET_ID = z.string().describe("Cloudinary's immutable id of the asset, 32 hexadecimal digits.")
export const PUBLIC_ID = z
  .string()
  .describe('Name of the asset, unique within its resource type and delivery type.')
export const RESOURCE_TYPE = z.string().describe('`image`, `video` (including audio) or `raw`.')
export const DELIVERY_TYPE = z.string().describe('Delivery type: `upload`, `private`, `authenticated`, …')
export const VERSION = z.number().describe("Unix time of the asset's last upload, in seconds.")
export const URL_HTTP = z.string().describe('Delivery URL.')
export const URL_HTTPS = z.string().describe('Delivery URL, https.')
export const ASSET_FOLDER = z.string().describe('Path of the asset folder; empty for the root.')
export const DISPLAY_NAME = z.string().describe('Name shown in the Media Library.')
export const ETAG = z.string().describe('Hash of the bytes.')

/** [doc] The fields that identify an asset, in entries of `resources`. Some third-party fixtures lack the id. */
export const IDENTITY = {
  asset_id: ASSET_ID.optional(),
  public_id: PUBLIC_ID,
  resource_type: RESOURCE_TYPE,
  type: DELIVERY_TYPE
}

/** [seen] The same where bodies lack the kind of the asset. Never assume a default. */
export const MAYBE_KIND = {
  resource_type: RESOURCE_TYPE.optional(),
  type: DELIVERY_TYPE.optional()
}

/** A value of structured metadata: text, number, date or one choice; a list for several choices. */
export const METADATA = z
  .record(z.string(), z.union([z.string(), z.number(), z.array(z.string()), z.null()]))
  .describe('Structured metadata by external id of the field.')
