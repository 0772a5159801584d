import { CloudinaryError } from '../cloudinary/cloudinary-error.ts'

/** The first pause is up to so long, each later one up to twice as long, in milliseconds. */
const FIRST_MS = 1000
const LONGEST_MS = 60_000

/** So that not everything comes back at once when a limit ends, in milliseconds. */
const SPREAD_MS = 5000

/**
 * How long to wait after a failure, in milliseconds: exponential backoff with full jitter; until the end of a limit,
 * where Cloudinary says when that is.
 *
 * @param failures how many there were in a row, from 1
 * @param random a number from 0 up to 1
 * @param now milliseconds since the epoch
 */
export function pauseMs(
  error: unknown,
  { failures, random, now }: { failures: number; random: number; now: number }
): number {
  if (error instanceof CloudinaryError && error.fault.kind === 'rate-limited') {
    return Math.max(0, error.fault.until.getTime() - now) + random * SPREAD_MS
  }
  return random * Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1))
}
