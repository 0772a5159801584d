import { posix } from 'node:path'
import { hex, isoSeconds, type SampleContext, sampleAsset, stamp, type Variants } from './sample-asset.ts'

/** Notifications about folders, about the product environment, and about work that is done or failed. */
export const OTHERS = {
  create_folder: { default: (context) => ({ notification_type: 'create_folder', ...folder(context) }) },
  delete_folder: { default: (context) => ({ notification_type: 'delete_folder', ...folder(context) }) },
  move_or_rename_asset_folder: {
    default: (context) => ({
      notification_type: 'move_or_rename_asset_folder',
      from_path: folder(context).folder_path,
      to_path: `archive/${folder(context).folder_name}`,
      status: 'completed'
    })
  },
  related_assets: {
    default: (context) => ({
      notification_type: 'related_assets',
      action_type: 'add',
      asset_id: sampleAsset(context).assetId,
      total_failed: 0,
      total_success: 2
    })
  },
  // The bodies of the types below were never seen; what they hold follows the API's answers.
  error: {
    default: (context) => ({
      notification_type: 'error',
      ...stamp(context),
      public_id: context.publicId,
      error: { message: 'Resource not found - https://example.com/leather-bag.jpg' }
    })
  },
  report: {
    default: (context) => ({
      notification_type: 'report',
      ...stamp(context),
      report_id: hex(`report ${context.now.getTime()}`, 32),
      status: 'completed',
      completed_at: isoSeconds(context.now)
    })
  },
  bulk_refresh_auto_fetch: {
    default: (context) => ({
      notification_type: 'bulk_refresh_auto_fetch',
      ...stamp(context),
      status: 'completed',
      total_success: 12,
      total_failed: 0
    })
  },
  invalidate_custom_cdn: {
    default: (context) => ({
      notification_type: 'invalidate_custom_cdn',
      ...stamp(context),
      urls: [`https://media.example.com/image/upload/${context.publicId}.jpg`]
    })
  },
  // What a later release of Cloudinary may send: a type that nobody knows yet.
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
