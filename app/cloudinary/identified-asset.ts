import type { UploadApiOptions } from 'cloudinary'
import type { AssetKind } from '../ingest/delivery-url.ts'
import type { Asset } from '../ingest/event.ts'
import { CloudinaryError } from './cloudinary-error.ts'

/** An asset with all fields that the API needs to identify it. No field was guessed. */
export type IdentifiedAsset = Asset & AssetKind & { publicId: string }

/** The kind of an asset, as options of the SDK. */
export interface KindOptions {
  resource_type: NonNullable<UploadApiOptions['resource_type']>
  type: string
}

export function isIdentified(asset: Asset): asset is IdentifiedAsset {
  return Boolean(asset.publicId && asset.resourceType && asset.deliveryType)
}

export const kindOf = ({ resourceType, deliveryType }: AssetKind): KindOptions => ({
  resource_type: resourceType as KindOptions['resource_type'],
  type: deliveryType
})

/** Returns the error ASSET_KIND_UNKNOWN: a guess could change another asset with the same public id. */
export function kindUnknownError({ publicId, resourceType, deliveryType }: Asset): CloudinaryError {
  const missing = Object.entries({ publicId, resourceType, deliveryType })
    .filter(([, value]) => !value)
    .map(([name]) => name)
  return new CloudinaryError(
    'ASSET_KIND_UNKNOWN',
    `the notification has no ${missing.join(', ')}, and no asset id to look it up by; nothing was done`,
    { kind: 'permanent' }
  )
}
