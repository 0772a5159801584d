import type { AssetState, CloudinaryClient } from '../cloudinary/client.ts'
import { CloudinaryError, isNotFound } from '../cloudinary/cloudinary-error.ts'
import type { IdentifiedAsset } from '../cloudinary/identified-asset.ts'
import type { Asset } from '../ingest/event.ts'

/** The note for an asset that was deleted before its event was handled: there is nothing left to do. */
export const GONE = 'skipped: the asset was deleted meanwhile'

/**
 * Does something to an asset that an event names, though it may have been renamed since: where there is none by that
 * name, it is done by the name that the asset has now. Costs one call of the Admin API (rate-limited) then, and one where
 * the event does not state the asset's kind.
 *
 * @param work is given the asset by a name; throws CLOUDINARY_NOT_FOUND where there is none by it
 * @returns what `work` returns, or GONE
 * @throws {CloudinaryError} CLOUDINARY_NOT_FOUND or ASSET_KIND_UNKNOWN where the event has no asset id to find it by; what
 *   `work` throws else
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
    return located === undefined ? GONE : work(located)
  }
}

/**
 * For the `work` of {@link byCurrentName} that has read the asset: a name may have been given to another asset since.
 *
 * @throws {CloudinaryError} CLOUDINARY_NOT_FOUND where what was read is another asset
 */
export function checkIdentity({ assetId }: Asset, state: AssetState): void {
  if (assetId === undefined || state.asset_id === assetId) return
  throw new CloudinaryError('CLOUDINARY_NOT_FOUND', "the name of the asset is another one's by now", {
    kind: 'permanent'
  })
}
