import type { Asset } from './asset-store.ts'
import type { Cloud } from './cloud.ts'
import { type SignatureAlgorithm, sign } from './request-signature.ts'
import { isoSeconds } from './times.ts'

/** Where an asset, or a transformation of it, is delivered. */
export function deliveryUrls(
  asset: Asset,
  cloud: Cloud,
  { transformation, format = asset.format }: { transformation?: string; format?: string } = {}
): { url: string; secure_url: string } {
  const segments = [cloud.name, asset.resourceType, asset.type, transformation, `v${asset.version}`]
  const extension = asset.resourceType === 'raw' || !format ? '' : `.${format}`
  const path = [
    ...segments.filter(Boolean),
    asset.publicId.split('/').map(encodeURIComponent).join('/')
  ].join('/')
  const { deliveryOrigin: origin } = cloud
  return {
    url: `${origin ?? 'http://res.cloudinary.com'}/${path}${extension}`,
    secure_url: `${origin ?? 'https://res.cloudinary.com'}/${path}${extension}`
  }
}

/** The fields an `upload` notification and the Upload API's answer share. */
export function uploadFields(asset: Asset, cloud: Cloud): Record<string, unknown> {
  return {
    asset_id: asset.assetId,
    public_id: asset.publicId,
    version: asset.version,
    version_id: asset.versionId,
    ...(asset.width !== undefined && { width: asset.width, height: asset.height }),
    ...(asset.format !== undefined && { format: asset.format }),
    resource_type: asset.resourceType,
    created_at: isoSeconds(asset.createdAt),
    tags: asset.tags,
    bytes: asset.bytes,
    type: asset.type,
    etag: asset.etag,
    placeholder: false,
    ...deliveryUrls(asset, cloud),
    asset_folder: asset.assetFolder,
    display_name: asset.displayName,
    ...(asset.duration !== undefined && { duration: asset.duration, frame_rate: 25, bit_rate: 800_000 }),
    ...(Object.keys(asset.context).length > 0 && { context: { custom: asset.context } }),
    ...(Object.keys(asset.metadata).length > 0 && { metadata: asset.metadata }),
    ...(asset.originalFilename !== undefined && { original_filename: asset.originalFilename })
  }
}

/**
 * What the Upload API answers with. `signature` proves the answer to the caller (`public_id` and `version`
 * with the caller's secret; signature version 1 always).
 */
export function uploadAnswer(
  asset: Asset,
  cloud: Cloud,
  { apiKey, algorithm }: { apiKey: string; algorithm: SignatureAlgorithm }
): Record<string, unknown> {
  const signed = { public_id: asset.publicId, version: String(asset.version) }
  return {
    ...uploadFields(asset, cloud),
    signature: sign(signed, String(cloud.secretOf(apiKey)), algorithm, 1),
    api_key: apiKey
  }
}

const SIDES = {
  updated_at: 'updatedAt',
  tags_updated_at: 'tagsUpdatedAt',
  metadata_updated_at: 'metadataUpdatedAt',
  context_updated_at: 'contextUpdatedAt',
  public_id_updated_at: 'publicIdUpdatedAt'
} as const

/** When a side of an asset last changed, by Cloudinary's name of it; undefined for one that never did, or is none. */
export function lastUpdateOf(asset: Asset, name: string): number | undefined {
  return Object.hasOwn(SIDES, name) ? asset.lastUpdated[SIDES[name as keyof typeof SIDES]] : undefined
}

/** When each side of an asset last changed; sides that never did are left out. */
export function lastUpdated(asset: Asset, format: (time: number) => string): Record<string, string> {
  const known = Object.keys(SIDES)
    .map((name) => [name, lastUpdateOf(asset, name)] as const)
    .filter((entry): entry is [string, number] => entry[1] !== undefined)
  return Object.fromEntries(known.map(([name, time]) => [name, format(time)]))
}

/** What the Admin API answers with for one asset. */
export function resourceAnswer(asset: Asset, cloud: Cloud): Record<string, unknown> {
  const { version_id, placeholder, original_filename, ...fields } = uploadFields(asset, cloud)
  return {
    ...fields,
    access_mode: 'public',
    last_updated: lastUpdated(asset, isoSeconds),
    derived: asset.derived
  }
}
