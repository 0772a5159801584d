import { randomBytes } from 'node:crypto'
import querystring from 'node:querystring'
import { ApiError } from './api-error.ts'
import type { Asset, Derived } from './asset-store.ts'
import { deliveryUrls } from './asset-view.ts'
import type { Cloud } from './cloud.ts'

export interface EagerRules {
  /** Returns the reason why a transformation fails; undefined for success. */
  failure: (asset: Asset, transformation: string) => string | undefined
  /** Larger videos require `eager_async`: 40 MB on a free plan. */
  videoSyncLimitBytes: number
}

export interface FailedDerivation {
  status: 'failed'
  reason: string
}

/** Creates derived assets at once. @throws {ApiError} 400 if one fails or the video is too large */
export function deriveNow(asset: Asset, cloud: Cloud, eager: string, rules: EagerRules): Derived[] {
  if (asset.resourceType === 'video' && asset.bytes > rules.videoSyncLimitBytes) {
    throw new ApiError(
      400,
      'Video is too large to process synchronously, please use an eager transformation with eager_async=true'
    )
  }
  return derive(asset, cloud, eager, rules).map((result) => {
    if ('status' in result) throw new ApiError(400, result.reason)
    return result
  })
}

export interface Batch {
  batchId: string
  /** Response to the call. */
  processing: { status: 'processing'; batch_id: string; url: string; secure_url: string }[]
  /** Content of the later notification. */
  results: (Derived | FailedDerivation)[]
}

/** Creates derived assets for an asynchronous call. */
export function deriveLater(asset: Asset, cloud: Cloud, eager: string, rules: EagerRules): Batch {
  const batchId = randomBytes(32).toString('hex')
  const processing = eager.split('|').map((text) => ({
    status: 'processing' as const,
    batch_id: batchId,
    ...deliveryUrls(asset, cloud, partsOf(text))
  }))
  return { batchId, processing, results: derive(asset, cloud, eager, rules) }
}

function derive(
  asset: Asset,
  cloud: Cloud,
  eager: string,
  rules: EagerRules
): (Derived | FailedDerivation)[] {
  const results = eager.split('|').map((text): Derived | FailedDerivation => {
    const reason = rules.failure(asset, text)
    if (reason !== undefined) return { status: 'failed', reason }
    const { transformation, format = asset.format ?? 'jpg' } = partsOf(text)
    return {
      transformation: normalForm(text),
      ...(format !== 'm3u8' && sizeOf(asset, transformation)),
      bytes: Math.ceil(asset.bytes / 2),
      format,
      ...deliveryUrls(asset, cloud, { transformation, format })
    }
  })
  const succeeded = results.filter((result) => 'transformation' in result)
  const names = new Set(succeeded.map((derived) => derived.transformation))
  asset.derived = [...asset.derived.filter(({ transformation }) => !names.has(transformation)), ...succeeded]
  return results
}

/**
 * Returns the name of a transformation as in responses: URL-decoded, with the parameters of each component
 * sorted.
 */
function normalForm(text: string): string {
  const components = querystring.unescape(text).split('/')
  return components.map((component) => component.split(',').sort().join(',')).join('/')
}

/** Splits a text such as `c_limit,w_640/mp4` into transformation and format: a format has no underscore. */
function partsOf(text: string): { transformation: string; format?: string } {
  const slash = text.lastIndexOf('/')
  const format = text.slice(slash + 1)
  return slash < 0 || format.includes('_')
    ? { transformation: text }
    : { transformation: text.slice(0, slash), format }
}

function sizeOf(asset: Asset, transformation: string): { width: number; height: number } {
  const { width = 640, height = 480 } = asset
  const wanted = Number(/(?:^|[,/])w_(\d+)/.exec(transformation)?.[1] ?? width)
  return { width: wanted, height: Math.max(1, Math.round((height * wanted) / width)) }
}
