import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { COLLEAGUE, LOCAL_CLOUDINARY } from '../defaults.ts'

export const RESOURCE_TYPES = ['image', 'video', 'raw'] as const

export type ResourceType = (typeof RESOURCE_TYPES)[number]

export const DEFAULT_PUBLIC_ID = 'samples/leather-bag'

/** What a sample is about, and who caused it. Every option has a default. */
export interface SampleOptions {
  /** Default `samples/leather-bag`. Where a notification has several assets, the first one's. */
  publicId?: string
  /** Default: derived from the cloud, the resource type and the public id, so that it stays the same. */
  assetId?: string
  /** Default `image`, or what the variant is about. */
  resourceType?: ResourceType
  cloudName?: string
  /** The key of who made the change. Default: the colleague's, so that it is not the listener's own. */
  apiKey?: string
  /** The key whose secret signs the notification. Default: the listener's. */
  signatureKey?: string
  /** Made by a call of the API, or by a person in the Console. Default `api`. */
  source?: 'api' | 'ui'
  /** How many assets, from 1 to 1,000, in the types that carry several. Default 1. */
  count?: number
  /** When it happened. Default: now. */
  now?: Date
}

/** The options with their defaults filled in. */
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

/** Makes one spelling of one notification type. */
export type Maker = (context: SampleContext) => Body

/** The spellings of one notification type by name; the first one is the default. */
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

/** The `index`th asset (from 0) that a sample is about. */
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

/** All the assets of a notification that carries several. */
export function sampleAssets(context: SampleContext): SampleAsset[] {
  return Array.from({ length: context.count }, (_, index) => sampleAsset(context, undefined, index))
}

/** The four fields that name an asset wherever Cloudinary names one in full. */
export function identity(asset: SampleAsset): Body {
  return {
    asset_id: asset.assetId,
    public_id: asset.publicId,
    resource_type: asset.resourceType,
    type: 'upload'
  }
}

/** How older notifications name an asset, and `moderation` and `info` to this day: without saying of what kind it is. */
export function kindlessIdentity({ assetId, publicId }: SampleAsset): Body {
  return { asset_id: assetId, public_id: publicId }
}

/** Where an asset, or one derived from it, is delivered: `url` and `secure_url`. */
export function addresses(
  context: SampleContext,
  asset: SampleAsset,
  derived: { transformation?: string; format?: string; action?: string } = {}
): { url: string; secure_url: string } {
  const { transformation, format = asset.format, action = 'upload' } = derived
  // The public id of a raw asset holds its extension already, so that nothing is appended to it.
  const file = asset.resourceType === 'raw' ? asset.publicId : `${asset.publicId}.${format}`
  const steps = [context.cloudName, asset.resourceType, action, transformation, `v${asset.version}`, file]
  const path = steps.filter((step) => step !== undefined).join('/')
  return { url: `http://res.cloudinary.com/${path}`, secure_url: `https://res.cloudinary.com/${path}` }
}

/** When Cloudinary made the notification and in answer to which request, as the flat types begin. */
export function stamp(context: SampleContext): { timestamp: string; request_id: string } {
  return {
    timestamp: isoSeconds(context.now).replace('Z', '+00:00'),
    request_id: hex(`request ${context.publicId} ${context.now.getTime()}`, 32)
  }
}

/** ISO 8601, UTC, without the milliseconds. */
export function isoSeconds(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z')
}

export function unixSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}

/** `digits` hexadecimal digits (128 at most) that look random and are the same for the same seed. */
export function hex(seed: string, digits: number): string {
  return createHash('sha512').update(seed).digest('hex').slice(0, digits)
}
