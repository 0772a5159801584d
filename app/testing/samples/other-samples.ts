import { posix } from 'node:path'
import { hex, isoSeconds, type SampleContext, sampleAsset, stamp, type Variants } from './sample-asset.ts'

/** Folders, the product environment, and finished or failed jobs. */
export const OTHERS = {
  create_folder: { default: folder },
  delete_folder: { default: folder },
  move_or_rename_asset_folder: {
    default: (context) => ({
      from_path: folder(context).folder_path,
      to_path: `archive/${folder(context).folder_name}`,
      status: 'completed'
    })
  },
  related_assets: {
    default: (context) => ({
      action_type: 'add',
      asset_id: sampleAsset(context).assetId,
      total_failed: 0,
      total_success: 2
    })
  },
  // assumption: no delivery of the types below has been captured yet; fields follow the API's responses
  error: {
    default: (context) => ({
      ...stamp(context),
      public_id: context.publicId,
      error: { message: 'Resource not found - https://example.com/leather-bag.jpg' }
    })
  },
  report: {
    default: (context) => ({
      ...stamp(context),
      report_id: hex(`report ${context.now.getTime()}`, 32),
      status: 'completed',
      completed_at: isoSeconds(context.now)
    })
  },
  bulk_refresh_auto_fetch: {
    default: (context) => ({
      ...stamp(context),
      status: 'completed',
      total_success: 12,
      total_failed: 0
    })
  },
  invalidate_custom_cdn: {
    default: (context) => ({
      ...stamp(context),
      urls: [`https://media.example.com/image/upload/${context.publicId}.jpg`]
    })
  },
  // a type that Cloudinary may add
  unknown: {
    default: (context) => ({
      notification_type: 'asset_admired',
      ...stamp(context),
      public_id: context.publicId,
      asset_id: sampleAsset(context).assetId,
      admirers: 3
    })
  }
} satisfies Record<string, Variants>

function folder(context: SampleContext): { source: string; folder_path: string; folder_name: string } {
  const path = sampleAsset(context).folder
  return { source: context.source, folder_path: path, folder_name: posix.basename(path) }
}
