import type { AssetState, CloudinaryClient } from '../../cloudinary/client.ts'
import { type IdentifiedAsset, kindOf } from '../../cloudinary/identified-asset.ts'
import { PermanentError } from '../../errors.ts'
import { ASSET_DELETED } from '../current-name.ts'
import type { CheckedOptions } from './expire-options.ts'

/** Delivery only with a signed token or a cookie. Source: https://cloudinary.com/documentation/control_access_to_media */
const RESTRICTED = [{ access_type: 'token' }] as const

/**
 * Applies the configured actions to an asset whose day has come. Skips those that its state shows as done, so it
 * is safe to repeat.
 *
 * @param state of the asset, just read
 * @returns the note
 * @throws {CloudinaryError}
 * @throws {PermanentError} EXPIRE_NOT_MOVED in a cloud with fixed folders
 */
export async function expireAsset(
  cloudinary: CloudinaryClient,
  asset: IdentifiedAsset,
  state: AssetState,
  options: Pick<CheckedOptions, 'action' | 'tag' | 'folder' | 'invalidate'>
): Promise<string> {
  const { tag, folder, invalidate } = options
  switch (options.action) {
    case 'tag':
      if (state.tags?.includes(tag)) return `skipped: already tagged "${tag}"`
      await cloudinary.addTag(asset, tag)
      return `tagged "${tag}"`
    case 'restrict':
      if (state.tags?.includes(tag)) return `skipped: already restricted`
      await update(cloudinary, 'restrict access', asset, { access_control: RESTRICTED, invalidate })
      // last: searches leave out assets with the tag
      await cloudinary.addTag(asset, tag)
      return `restricted, and tagged "${tag}"`
    case 'move': {
      if (state.asset_folder === folder) return `skipped: already in ${folder}`
      const { asset_folder: now } = await update(cloudinary, 'move', asset, { asset_folder: folder! })
      if (now === folder) return `moved to ${folder}`
      throw new PermanentError(
        `Cloudinary did not move the asset to ${folder}: the cloud has fixed folders; use another \`action\``,
        { code: 'EXPIRE_NOT_MOVED' }
      )
    }
    case 'delete': {
      const { result } = await cloudinary.call('delete', (sdk, callOptions) =>
        sdk.uploader.destroy(asset.publicId, { ...callOptions, ...kindOf(asset), invalidate })
      )
      return result === 'ok' ? 'deleted' : ASSET_DELETED
    }
  }
}

/** Changes an asset with `explicit` of the Upload API, which is not rate-limited. */
const update = (
  cloudinary: CloudinaryClient,
  name: string,
  asset: IdentifiedAsset,
  changes: object
): Promise<Record<string, unknown>> =>
  cloudinary.call(name, (sdk, options) =>
    sdk.uploader.explicit(asset.publicId, { ...options, ...kindOf(asset), ...changes })
  )
