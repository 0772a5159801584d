import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { CloudinaryError } from '../../cloudinary/cloudinary-error.ts'
import { type IdentifiedAsset, kindOf } from '../../cloudinary/identified-asset.ts'
import { findRequested } from './transformation-name.ts'

/** What Cloudinary says has become of transformations. */
export interface Eager {
  status: 'processing' | 'done' | 'failed'
  /** Named by the notification that comes when those that are processing have ended. */
  batchId?: string
  /** As it was requested, where it is recognized. */
  made: string[]
  /** What was not made, and why. */
  reasons: string[]
}

/** What was asked for, and how that ended. */
export interface Asked extends Eager {
  /** Cloudinary refused to do it while we wait. */
  tooLarge?: true
}

export interface AskOptions {
  cloudinary: Pick<CloudinaryClient, 'call'>
  /** A video. */
  asset: IdentifiedAsset
  transformations: readonly string[]
  /** Not to wait for it. */
  inBackground: boolean
  /** Where Cloudinary is to tell how it ended; without it, wherever it sends `eager` notifications. */
  notificationUrl: string | undefined
}

type Fields = Record<string, unknown>

/** How long Cloudinary may take to transform a video while we wait, in milliseconds. */
export const TRANSFORM_MS = 120_000

/** How long it may take to answer that it will, in milliseconds. */
const ACCEPT_MS = 30_000

/**
 * Has Cloudinary transform a video: `explicit` with `eager`, of the Upload API. What it will not, or does not, do while
 * we wait is asked for once more in the background.
 *
 * @throws {CloudinaryError} for what is no fault of the transformations: not found, busy (423), down
 */
export async function askFor(options: AskOptions): Promise<Asked> {
  const { transformations, inBackground } = options
  try {
    return readEager((await callExplicit(options)).eager, transformations)
  } catch (error) {
    if (!(error instanceof CloudinaryError)) throw error
    const tooLarge = isTooLarge(error)
    // Were it asked for again in the same way, a video that takes too long would take too long again.
    if (!inBackground && (tooLarge || error.code === 'CLOUDINARY_UNREACHABLE')) {
      return { ...(await askFor({ ...options, inBackground: true })), ...(tooLarge && { tooLarge }) }
    }
    if (error.status !== 400) throw error
    return { status: 'failed', made: [], reasons: [`${transformations.join(' | ')}: ${error.message}`] }
  }
}

/**
 * Reads the `eager` list of an answer or of a notification: of what was made, `{transformation, url, …}`; of what was
 * not, `{status: "failed", reason}`, often with the transformation; of what is still to come, `{status: "processing",
 * batch_id, url}`. A list without any entry, or an entry that names nothing, counts as failed, since nobody could say
 * what was made.
 *
 * @param asked what was asked for; entries without a transformation are in its order
 */
export function readEager(list: unknown, asked: readonly string[]): Eager {
  const given: unknown[] = Array.isArray(list) ? list : []
  const entries = given.map((entry, index) => {
    const { transformation, url, secure_url, status, reason, batch_id } = (entry ?? {}) as Fields
    const position = given.length === asked.length ? asked[index] : undefined
    const named = text(transformation)
    const namesSomething = [named, url, secure_url].some((value) => text(value) !== undefined)
    return {
      name: (named && findRequested(named, asked)) ?? named ?? position ?? 'a transformation',
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
    reasons: entries.length > 0 ? reasons : [`${asked.join(' | ')}: Cloudinary names no result`]
  }
  if (result.reasons.length > 0) return { status: 'failed', ...result }
  const [first] = processing
  if (!first) return { status: 'done', ...result }
  return { status: 'processing', ...(first.batch && { batchId: first.batch }), ...result }
}

async function callExplicit(options: AskOptions): Promise<{ eager?: unknown }> {
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

/** "Video is too large to process synchronously, please use an eager transformation with eager_async=true to resolve" */
function isTooLarge({ status, message }: CloudinaryError): boolean {
  return status === 400 && /too large to process synchronously/i.test(message)
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
