import type { Asset } from './asset-store.ts'
import type { Cloud } from './cloud.ts'
import { type SignatureAlgorithm, sign } from './request-signature.ts'
import { isoSeconds } from './times.ts'

/** Returns the URLs of an asset, or of a transformation of it. */
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

/** Returns the fields common to an `upload` notification and a response of the Upload API. */
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
    ...(asset.accessControl.length > 0 && { access_control: asset.accessControl }),
    ...(asset.moderation.length > 0 && { moderation: asset.moderation }),
    ...(asset.originalFilename !== undefined && { original_filename: asset.originalFilename })
  }
}

/**
 * Returns the response of the Upload API. `signature` authenticates it to the caller: `public_id` and
 * `version` with the caller's secret, always by signature version 1.
 */
export function uploadResponse(
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

const TIMESTAMPS = {
  updated_at: 'updatedAt',
  tags_updated_at: 'tagsUpdatedAt',
  metadata_updated_at: 'metadataUpdatedAt',
  context_updated_at: 'contextUpdatedAt',
  public_id_updated_at: 'publicIdUpdatedAt'
} as const

/** Returns the time of the last change, by Cloudinary's name of the timestamp; undefined if it has none. */
export function lastUpdateOf(asset: Asset, name: string): number | undefined {
  return Object.hasOwn(TIMESTAMPS, name)
    ? asset.lastUpdated[TIMESTAMPS[name as keyof typeof TIMESTAMPS]]
    : undefined
}

/** Returns the times of the last changes; omits changes that never happened. */
export function lastUpdated(asset: Asset, format: (time: number) => string): Record<string, string> {
  const known = Object.keys(TIMESTAMPS)
    .map((name) => [name, lastUpdateOf(asset, name)] as const)
    .filter((entry): entry is [string, number] => entry[1] !== undefined)
  return Object.fromEntries(known.map(([name, time]) => [name, format(time)]))
}

/** Returns the response of the Admin API for one asset. */
export function resourceResponse(asset: Asset, cloud: Cloud): Record<string, unknown> {
  const { version_id, placeholder, original_filename, ...fields } = uploadFields(asset, cloud)
  return {
    ...fields,
    access_mode: 'public',
    last_updated: lastUpdated(asset, isoSeconds),
    derived: asset.derived
  }
}
