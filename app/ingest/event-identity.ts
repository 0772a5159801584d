import { createHash, hash as oneShotHash } from 'node:crypto'
import type { AssetEvent, EventType } from './event.ts'

/**
 * Maximum time from the first delivery of a body to the signature of its last retry, in milliseconds.
 * Cloudinary retries after 3, 9 and 27 minutes according to its blog (3, 6 and 9 according to its
 * documentation), and an attempt may take 20 s: 40 minutes, plus a margin.
 * Source: https://cloudinary.com/documentation/notifications
 */
export const RETRY_SPAN_MS = 3_600_000

/** Identifies an upload. */
export interface UploadName {
  assetId?: string | undefined
  /** Unix time of the upload, in seconds. */
  version?: number | undefined
  /** Distinguishes two uploads within one second. */
  etag?: string | undefined
}

/**
 * Returns the possible ids of an upload's event: the id from all fields first, then the id from a
 * notification without an etag. Empty if the asset or its version is not known.
 *
 * `version_id` is not part of the id, since a search does not return it.
 */
export function uploadEventIds(environment: string, { assetId, version, etag }: UploadName): string[] {
  if (!assetId || version === undefined) return []
  const parts = ['upload', environment, assetId, String(version)]
  return [...(etag ? [digest(...parts, etag)] : []), digest(...parts)]
}

/** Returns the id of the event at an index in the body of a notification. */
export function bodyEventId(bodyDigest: string, index: number): string {
  return digest(bodyDigest, String(index))
}

/**
 * Returns the id of a later change with the same body as an earlier change, which is possible if the body has
 * no time. `signedAt` is from the first delivery of the later change. An event without `signedAt` keeps its
 * id.
 */
export function laterEventId({ id, signedAt }: Pick<AssetEvent, 'id' | 'signedAt'>): string {
  return signedAt === undefined ? id : digest('later', id, signedAt)
}

/**
 * Returns the id of a change that a search found and no known notification reported. The same change always
 * gets the same id.
 *
 * @param changedAt ISO 8601, UTC
 */
export function foundEventId(
  environment: string,
  type: EventType,
  assetId: string,
  changedAt: string
): string {
  return digest('found', environment, type, assetId, changedAt)
}

/**
 * Returns the id of an event of a schedule. The same asset has one event in each slot, however often its search
 * is repeated.
 *
 * @param slot the time at which the schedule was due; ISO 8601, UTC
 */
export function scheduledEventId(
  environment: string,
  schedule: string,
  slot: string,
  assetId: string
): string {
  return digest('scheduled', environment, schedule, slot, assetId)
}

/** Returns the message group of an asset. */
export const assetGroup = (environment: string, assetId: string): string =>
  digest(environment, assetGroupKey(assetId))

export const assetGroupKey = (assetId: string): string => `asset ${assetId}`

/** Returns a hash of 128 bits in hexadecimal, which is short enough for every id in SQS. */
export function digest(...parts: readonly (string | Uint8Array)[]): string {
  return sha256(parts).slice(0, 32)
}

function sha256(parts: readonly (string | Uint8Array)[]): string {
  // a Hash keeps 1 KB outside the heap, which V8 does not see, until a full collection
  if (parts.every((part) => typeof part === 'string')) return oneShotHash('sha256', `${parts.join('\0')}\0`)
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}
