import type { AssetState, CloudinaryClient } from '../cloudinary/client.ts'
import { CloudinaryError, isNotFound } from '../cloudinary/cloudinary-error.ts'
import type { IdentifiedAsset } from '../cloudinary/identified-asset.ts'
import type { Asset } from '../ingest/event.ts'

/** The note for an asset that was deleted before its event was handled. */
export const ASSET_DELETED = 'skipped: the asset was deleted meanwhile'

/**
 * Runs work on the asset of an event. If the asset is not found by the name that the event states, looks up
 * its current name and runs the work again. Costs one call of the Admin API (rate-limited) for a renamed
 * asset, and one if the event does not state the asset's kind.
 *
 * @param work throws CLOUDINARY_NOT_FOUND if the asset it is given does not exist
 * @returns the result of `work`, or {@link ASSET_DELETED}
 * @throws {CloudinaryError} CLOUDINARY_NOT_FOUND or ASSET_KIND_UNKNOWN if the event has no asset id; errors
 *   of `work`
 */
export async function byCurrentName(
  cloudinary: Pick<CloudinaryClient, 'identify' | 'locate'>,
  asset: Asset,
  work: (asset: IdentifiedAsset) => Promise<string>
): Promise<string> {
  try {
    return await work(await cloudinary.identify(asset))
  } catch (error) {
    if (!isNotFound(error) || asset.assetId === undefined) throw error
    const located = await cloudinary.locate(asset.assetId)
    return located === undefined ? ASSET_DELETED : work(located)
  }
}

/**
 * Checks that the asset that was read is the one of the event: the name may belong to another asset now. For
 * use in the `work` of {@link byCurrentName}.
 *
 * @throws {CloudinaryError} CLOUDINARY_NOT_FOUND if it is another asset
 */
export function checkIdentity({ assetId }: Asset, state: AssetState): void {
  if (assetId === undefined || state.asset_id === assetId) return
  throw new CloudinaryError('CLOUDINARY_NOT_FOUND', 'another asset has this name now', { kind: 'permanent' })
}
