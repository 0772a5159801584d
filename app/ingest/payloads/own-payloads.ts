import { z } from 'zod'
import {
  ASSET_FOLDER,
  ASSET_ID,
  DELIVERY_TYPE,
  DISPLAY_NAME,
  METADATA,
  PUBLIC_ID,
  RESOURCE_TYPE,
  URL_HTTP,
  URL_HTTPS,
  VERSION
} from './payload-fields.ts'

/**
 * Payloads of the events that the listener makes itself. An asset is as the Search API returns it.
 * Source: https://cloudinary.com/documentation/search_method
 */
export const OWN_PAYLOADS = {
  scheduled_search: z
    .looseObject({
      schedule: z.string().describe('Name of the schedule.'),
      scheduled_at: z.string().describe('Time at which the schedule was due, ISO 8601, UTC.'),
      asset_id: ASSET_ID,
      public_id: PUBLIC_ID,
      resource_type: RESOURCE_TYPE,
      type: DELIVERY_TYPE,
      version: VERSION.optional(),
      created_at: z.string().describe('Time of the first upload, ISO 8601.'),
      uploaded_at: z.string().describe('Time of the last upload, ISO 8601.').optional(),
      asset_folder: ASSET_FOLDER.optional(),
      display_name: DISPLAY_NAME.optional(),
      url: URL_HTTP.optional(),
      secure_url: URL_HTTPS.optional(),
      tags: z.array(z.string()).optional(),
      context: z
        .looseObject({ custom: z.record(z.string(), z.unknown()).optional() })
        .describe('Contextual metadata, under `custom` as in notifications.')
        .optional(),
      metadata: METADATA.optional()
    })
    .meta({
      title: 'scheduled_search',
      description: 'A schedule of the listener found an asset.',
      'x-body': 'search',
      'x-evidence': 'documented'
    })
}
