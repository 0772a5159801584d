import type { UploadApiOptions } from 'cloudinary'
import type { Asset } from '../ingest/event.ts'
import { CloudinaryError } from './cloudinary-error.ts'

/** An asset with all that the API needs to tell it from others: nothing of it was guessed. */
export type IdentifiedAsset = Asset & Required<Pick<Asset, 'publicId' | 'resourceType' | 'deliveryType'>>

/** What the API needs beside a public id to tell which asset is meant. */
export interface Kind {
  resource_type: NonNullable<UploadApiOptions['resource_type']>
  type: string
}

export function isIdentified(asset: Asset): asset is IdentifiedAsset {
  return Boolean(asset.publicId && asset.resourceType && asset.deliveryType)
}

export const kindOf = ({
  resourceType,
  deliveryType
}: Pick<IdentifiedAsset, 'resourceType' | 'deliveryType'>): Kind => ({
  resource_type: resourceType as Kind['resource_type'],
  type: deliveryType
})

/** ASSET_KIND_UNKNOWN: an asset of the same public id and another kind could be changed by mistake. */
export function unidentified({ publicId, resourceType, deliveryType }: Asset): CloudinaryError {
  const missing = Object.entries({ publicId, resourceType, deliveryType })
    .filter(([, value]) => !value)
    .map(([name]) => name)
  return new CloudinaryError(
    'ASSET_KIND_UNKNOWN',
    `the notification does not state ${missing.join(', ')} of the asset, and has no asset id to look it up by; ` +
      'nothing was done',
    { kind: 'permanent' }
  )
}
