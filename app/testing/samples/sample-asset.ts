import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { COLLEAGUE, LOCAL_CLOUDINARY } from '../defaults.ts'

export const RESOURCE_TYPES = ['image', 'video', 'raw'] as const

export type ResourceType = (typeof RESOURCE_TYPES)[number]

export const DEFAULT_PUBLIC_ID = 'samples/leather-bag'

/** The asset of a sample notification, and who made the change. */
export interface SampleOptions {
  /** Of the first asset. (Default: `samples/leather-bag`) */
  publicId?: string
  /** (Default: a hash of cloud, resource type and public id) */
  assetId?: string
  /** (Default: that of the variant, or `image`) */
  resourceType?: ResourceType
  cloudName?: string
  /** API key that made the change. (Default: the colleague's, so it is not an own change) */
  apiKey?: string
  /** Key that signs the notification. (Default: the listener's) */
  signatureKey?: string
  /** An API call, or a person in the Console. (Default: `api`) */
  source?: 'api' | 'ui'
  /** Number of assets, 1 to 1,000, for types with several. (Default: 1) */
  count?: number
  /** Time of the change. (Default: now) */
  now?: Date
}

/** Options with defaults applied. */
export type SampleContext = Required<Omit<SampleOptions, 'assetId' | 'resourceType'>> &
  Pick<SampleOptions, 'assetId' | 'resourceType'>

export interface SampleAsset {
  assetId: string
  publicId: string
  resourceType: ResourceType
  format: string
  version: number
  versionId: string
  etag: string
  folder: string
  name: string
}

export type Body = Record<string, unknown>

/** Makes the body of one variant of a notification type, without `notification_type`. */
export type Maker = (context: SampleContext) => Body

/** The variants of one notification type by name, the default first. */
export type Variants = Record<string, Maker>

const FORMATS = { image: 'jpg', video: 'mp4', raw: 'csv' } as const

export function sampleContext(options: SampleOptions = {}): SampleContext {
  return {
    publicId: options.publicId ?? DEFAULT_PUBLIC_ID,
    cloudName: options.cloudName ?? LOCAL_CLOUDINARY.cloudName,
    apiKey: options.apiKey ?? COLLEAGUE.apiKey,
    signatureKey: options.signatureKey ?? LOCAL_CLOUDINARY.apiKey,
    source: options.source ?? 'api',
    count: options.count ?? 1,
    now: options.now ?? new Date(),
    assetId: options.assetId,
    resourceType: options.resourceType
  }
}

/** Returns an asset of a sample, by index from 0. */
export function sampleAsset(
  context: SampleContext,
  resourceType: ResourceType = context.resourceType ?? 'image',
  index = 0
): SampleAsset {
  const publicId = index === 0 ? context.publicId : `${context.publicId}-${index + 1}`
  const derived = hex(`asset ${context.cloudName}/${resourceType}/${publicId}`, 32)
  const version = unixSeconds(context.now)
  const folder = posix.dirname(publicId)
  return {
    assetId: index === 0 ? (context.assetId ?? derived) : derived,
    publicId,
    resourceType,
    format: FORMATS[resourceType],
    version,
    versionId: hex(`version ${publicId} ${version}`, 32),
    etag: hex(`bytes ${publicId}`, 32),
    folder: folder === '.' ? '' : folder,
    name: posix.basename(publicId)
  }
}

/** Returns all assets of a sample. */
export function sampleAssets(context: SampleContext): SampleAsset[] {
  return Array.from({ length: context.count }, (_, index) => sampleAsset(context, undefined, index))
}

/** The four fields that identify an asset. */
export function identity(asset: SampleAsset): Body {
  return {
    asset_id: asset.assetId,
    public_id: asset.publicId,
    resource_type: asset.resourceType,
    type: 'upload'
  }
}

/**
 * The fields that identify an asset, without its kind, in older notifications and in `moderation` and `info`.
 */
export function kindlessIdentity({ assetId, publicId }: SampleAsset): Body {
  return { asset_id: assetId, public_id: publicId }
}

/** The delivery URLs of an asset or a derived file. */
export function addresses(
  context: SampleContext,
  asset: SampleAsset,
  derived: { transformation?: string; format?: string; action?: string } = {}
): { url: string; secure_url: string } {
  const { transformation, format = asset.format, action = 'upload' } = derived
  // the public id of a raw asset includes the extension
  const file = asset.resourceType === 'raw' ? asset.publicId : `${asset.publicId}.${format}`
  const steps = [context.cloudName, asset.resourceType, action, transformation, `v${asset.version}`, file]
  const path = steps.filter((step) => step !== undefined).join('/')
  return { url: `http://res.cloudinary.com/${path}`, secure_url: `https://res.cloudinary.com/${path}` }
}

/** The first fields of flat notifications. */
export function stamp(context: SampleContext): { timestamp: string; request_id: string } {
  return {
    timestamp: isoSeconds(context.now).replace('Z', '+00:00'),
    request_id: hex(`request ${context.publicId} ${context.now.getTime()}`, 32)
  }
}

/** ISO 8601, UTC, without milliseconds. */
export function isoSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z')
}

export function unixSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}

/** Returns hexadecimal digits (at most 128) that depend only on the seed. */
export function hex(seed: string, digits: number): string {
  return createHash('sha512').update(seed).digest('hex').slice(0, digits)
}
