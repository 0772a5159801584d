import { CloudinaryError } from '../cloudinary/cloudinary-error.ts'

/** Upper bound of the first pause, in milliseconds. Doubles with each failure. */
const FIRST_MS = 1000
const MAX_MS = 60_000

/** Jitter after a rate limit, in milliseconds, so that callers do not all resume at once. */
const SPREAD_MS = 5000

/**
 * Returns the pause after a failure, in milliseconds: until the end of a rate limit, otherwise exponential
 * backoff with full jitter.
 *
 * @param failures number of consecutive failures, from 1
 * @param random a number from 0 up to 1
 * @param now milliseconds since the epoch
 */
export function pauseMs(
  error: unknown,
  { failures, random, now }: { failures: number; random: number; now: number }
): number {
  if (error instanceof CloudinaryError && error.failure.kind === 'rate-limited') {
    return Math.max(0, error.failure.until.getTime() - now) + random * SPREAD_MS
  }
  return random * Math.min(MAX_MS, FIRST_MS * 2 ** (failures - 1))
}
