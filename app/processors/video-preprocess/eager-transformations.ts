import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { CloudinaryError } from '../../cloudinary/cloudinary-error.ts'
import { type IdentifiedAsset, kindOf } from '../../cloudinary/identified-asset.ts'
import { findRequested } from './transformation-name.ts'

/** The outcome of transformations, according to Cloudinary. */
export interface EagerResult {
  status: 'processing' | 'done' | 'failed'
  /** The batch id in the `eager` notification to come. */
  batchId?: string
  /** Transformations that were made, named as requested where recognised. */
  made: string[]
  /** The others, each with the reason. */
  reasons: string[]
}

export interface TransformResult extends EagerResult {
  /** Set if Cloudinary refused to transform the video synchronously. */
  tooLarge?: true
}

export interface TransformOptions {
  cloudinary: Pick<CloudinaryClient, 'call'>
  /** A video. */
  asset: IdentifiedAsset
  transformations: readonly string[]
  /** True to not wait for the result. */
  inBackground: boolean
  /** Where Cloudinary sends the `eager` notification. (Default: to the triggers for `eager`) */
  notificationUrl: string | undefined
}

type Fields = Record<string, unknown>

/** Timeout of a synchronous transformation, in milliseconds. */
export const TRANSFORM_MS = 120_000

/** Timeout of a request for a transformation in the background, in milliseconds. */
const ACCEPT_MS = 30_000

/**
 * Requests transformations of a video: `explicit` with `eager`, Upload API. Requests them again in the
 * background if Cloudinary refuses, or does not finish, a synchronous transformation.
 *
 * @throws {CloudinaryError} an error that does not concern the transformations: not found, busy (423), down
 */
export async function transformVideo(options: TransformOptions): Promise<TransformResult> {
  const { transformations, inBackground } = options
  try {
    return readEager((await callExplicit(options)).eager, transformations)
  } catch (error) {
    if (!(error instanceof CloudinaryError)) throw error
    const tooLarge = isTooLarge(error)
    // a synchronous retry of a video that takes too long would time out again
    if (!inBackground && (tooLarge || error.code === 'CLOUDINARY_UNREACHABLE')) {
      return { ...(await transformVideo({ ...options, inBackground: true })), ...(tooLarge && { tooLarge }) }
    }
    if (error.status !== 400) throw error
    return { status: 'failed', made: [], reasons: [`${transformations.join(' | ')}: ${error.message}`] }
  }
}

/**
 * Reads the `eager` list of a response or a notification. Its entries: `{transformation, url, …}` for a
 * result, `{status: "failed", reason}` for a failure, often with the transformation, and `{status:
 * "processing", batch_id, url}`. An empty list and an entry without any of these count as failures.
 *
 * @param requested transformations; entries without one are in this order
 */
export function readEager(list: unknown, requested: readonly string[]): EagerResult {
  const given: unknown[] = Array.isArray(list) ? list : []
  const entries = given.map((entry, index) => {
    const { transformation, url, secure_url, status, reason, batch_id } = (entry ?? {}) as Fields
    const position = given.length === requested.length ? requested[index] : undefined
    const named = text(transformation)
    const namesSomething = [named, url, secure_url].some((value) => text(value) !== undefined)
    return {
      name: (named && findRequested(named, requested)) ?? named ?? position ?? 'unknown transformation',
      status: namesSomething || status === 'processing' ? status : 'failed',
      reason,
      batch: text(batch_id)
    }
  })
  const failed = entries.filter(({ status }) => status === 'failed')
  const processing = entries.filter(({ status }) => status === 'processing')
  const reasons = failed.map(({ name, reason }) => `${name}: ${text(reason) ?? 'no reason given'}`)
  const result = {
    made: entries
      .filter((entry) => !failed.includes(entry) && !processing.includes(entry))
      .map(({ name }) => name),
    reasons: entries.length > 0 ? reasons : [`${requested.join(' | ')}: Cloudinary returned no result`]
  }
  if (result.reasons.length > 0) return { status: 'failed', ...result }
  const [first] = processing
  if (!first) return { status: 'done', ...result }
  return { status: 'processing', ...(first.batch && { batchId: first.batch }), ...result }
}

async function callExplicit(options: TransformOptions): Promise<{ eager?: unknown }> {
  const { cloudinary, asset, transformations, inBackground, notificationUrl } = options
  return cloudinary.call(
    'transform video',
    (sdk, callOptions) =>
      sdk.uploader.explicit(asset.publicId, {
        ...callOptions,
        ...kindOf(asset),
        eager: [...transformations],
        ...(inBackground && { eager_async: true }),
        ...(inBackground && notificationUrl && { eager_notification_url: notificationUrl })
      }),
    inBackground ? ACCEPT_MS : TRANSFORM_MS
  )
}

/**
 * Recognises the error "Video is too large to process synchronously, please use an eager transformation with
 * eager_async=true to resolve"
 */
function isTooLarge({ status, message }: CloudinaryError): boolean {
  return status === 400 && /too large to process synchronously/i.test(message)
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
