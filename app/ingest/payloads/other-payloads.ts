import { z } from 'zod'
import { ASSET_ID, PUBLIC_ID, payload } from './payload-fields.ts'

const FOLDER = {
  folder_path: z.string().describe('Path from the root.'),
  folder_name: z.string().describe('The last name in the path.').optional()
}

const STATUS = z.string().describe('Such as `completed`.')

/** Folders, the product environment, and jobs that have ended. */
export const OTHER_PAYLOADS = {
  // [doc], and consumers of it
  create_folder: payload(
    'create_folder',
    { description: 'A folder was created.', evidence: 'documented' },
    FOLDER
  ),
  delete_folder: payload(
    'delete_folder',
    { description: 'A folder was deleted.', evidence: 'documented' },
    FOLDER
  ),
  // [doc], and consumers of it
  move_or_rename_asset_folder: payload(
    'move_or_rename_asset_folder',
    { description: 'An asset folder was moved or renamed, with all that is in it.', evidence: 'documented' },
    {
      from_path: z.string().describe('The old path.'),
      to_path: z.string().describe('The new path.'),
      status: STATUS.optional()
    }
  ),
  // [seen]
  related_assets: payload(
    'related_assets',
    { description: 'Relations between an asset and others were added or removed.', evidence: 'captured' },
    {
      asset_id: ASSET_ID.optional(),
      action_type: z.string().describe('`add`, `delete`, …').optional(),
      total_success: z.number().optional(),
      total_failed: z.number().optional()
    }
  ),
  // [assumed] the error of an answer of the API
  error: payload(
    'error',
    { description: 'An operation in the background has failed.', evidence: 'assumed' },
    {
      public_id: PUBLIC_ID.optional(),
      asset_id: ASSET_ID.optional(),
      error: z
        .union([z.string(), z.looseObject({ message: z.string().optional() })])
        .describe('What failed.')
        .optional()
    }
  ),
  // [assumed]
  report: payload(
    'report',
    { description: 'A report of the product environment is ready.', evidence: 'assumed' },
    {
      report_id: z.string().optional(),
      status: STATUS.optional(),
      completed_at: z.string().describe('ISO 8601.').optional()
    }
  ),
  // [assumed]
  bulk_refresh_auto_fetch: payload(
    'bulk_refresh_auto_fetch',
    {
      description: 'Assets that were fetched from a remote location were fetched again.',
      evidence: 'assumed'
    },
    { status: STATUS.optional(), total_success: z.number().optional(), total_failed: z.number().optional() }
  ),
  // [assumed]
  invalidate_custom_cdn: payload(
    'invalidate_custom_cdn',
    { description: 'URLs must be invalidated on a CDN of your own.', evidence: 'assumed' },
    { urls: z.array(z.string()).optional() }
  )
}
