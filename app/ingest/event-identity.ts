import { createHash } from 'node:crypto'
import type { AssetEvent, EventType } from './event.ts'

/**
 * How much later than the first delivery of a body a retry of it can be signed, in milliseconds. Cloudinary retries
 * after 3, 9 and 27 minutes by its blog (3, 6 and 9 by its documentation), and an attempt may take 20 s: 40 minutes,
 * and a margin.
 * Source: https://cloudinary.com/documentation/notifications
 */
export const RETRY_SPAN_MS = 3_600_000

/** What names an upload; a version is the Unix time of the upload, in seconds. */
export interface UploadName {
  assetId?: string | undefined
  version?: number | undefined
  /** Tells two uploads of one second apart. */
  etag?: string | undefined
}

/**
 * The ids that an upload's event can have: first the one that these fields give, then the one that a notification
 * without an etag gives. Empty where the asset or its version is not known.
 *
 * `version_id` is not part of them: a search does not return it, and could not name the event.
 */
export function uploadEventIds(environment: string, { assetId, version, etag }: UploadName): string[] {
  if (!assetId || version === undefined) return []
  const parts = ['upload', environment, assetId, String(version)]
  return [...(etag ? [digest(...parts, etag)] : []), digest(...parts)]
}

/** The id of the event at a place (from 0) in the body of a notification. */
export function bodyEventId(bodyDigest: string, index: number): string {
  return digest(bodyDigest, String(index))
}

/**
 * The id of a later change that sent the same body as an earlier one: a body without a time of its own can be sent twice
 * for two different changes. `signedAt` of the event is that of the later change's first delivery. An event without
 * `signedAt` cannot have a later change, and keeps its id.
 */
export function laterEventId({ id, signedAt }: Pick<AssetEvent, 'id' | 'signedAt'>): string {
  return signedAt === undefined ? id : digest('later', id, signedAt)
}

/**
 * The id of a change that a search found, and that no known notification is about. The same change always gets the same id.
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

/** 128 bits in hexadecimal: within every limit of SQS, whatever the parts contain. */
export function digest(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex').slice(0, 32)
}
