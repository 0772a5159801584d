/** The first retry comes within so many seconds; each later one within twice the time of the one before. */
const BASE_SECONDS = 2

/** No retry waits longer, in seconds. */
const LONGEST_SECONDS = 900

/** SQS hides a message for 12 hours at most, counted from when it was received; some of that may have passed. */
const SQS_LIMIT_SECONDS = 42_000

/**
 * Seconds to wait before the next attempt: exponential backoff with full jitter, which spreads the retries of
 * many events that failed together.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param attempt how many attempts have failed, from 1
 * @param random a number from 0 up to 1
 */
export function retryDelaySeconds(attempt: number, random: number): number {
  return Math.max(1, Math.round(random * Math.min(LONGEST_SECONDS, BASE_SECONDS * 2 ** (attempt - 1))))
}

/**
 * Seconds until a message that is handed back uncounted comes again. It may be handed back for as long as an outage lasts,
 * and SQS puts it aside after 1,000 receives: so it waits ever longer, by little, since what was handed back a few times
 * should go on at once. The thousand last for four days.
 *
 * @param receives how often SQS has given it out
 * @param random a number from 0 up to 1
 */
export function handBackDelaySeconds(receives: number, random: number): number {
  return Math.max(1, Math.round(random * Math.min(LONGEST_SECONDS, 2 * receives)))
}

/** Seconds until a rate limit ends, plus up to half a minute, so that not everything comes back at once. */
export function limitDelaySeconds(until: Date, now: number, random: number): number {
  const seconds = Math.ceil((until.getTime() - now) / 1000) + Math.round(random * 30)
  return Math.min(SQS_LIMIT_SECONDS, Math.max(1, seconds))
}
