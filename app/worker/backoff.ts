/** Upper bound of the first retry delay, in seconds. Doubles with each attempt. */
const BASE_SECONDS = 2

/** Maximum delay, in seconds. */
const LONGEST_SECONDS = 900

/** Maximum time that is added to the end of a rate limit, in milliseconds: not everything resumes at once. */
const LIMIT_SPREAD_MS = 30_000

const withJitter = (seconds: number, random: number): number =>
  Math.max(1, Math.round(random * Math.min(LONGEST_SECONDS, seconds)))

/**
 * Seconds until the next attempt: exponential backoff with full jitter, which spreads the retries of many events that
 * failed together.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param attempt how many attempts have failed, from 1
 * @param random a number from 0 up to 1
 */
export const retryDelaySeconds = (attempt: number, random: number): number =>
  withJitter(BASE_SECONDS * 2 ** (attempt - 1), random)

/**
 * Seconds until the next attempt after one that did not count. There is no maximum of those, and SQS dead-letters a message
 * after 1,000 receives: so the delay grows, but slowly, since after a few a healthy system should resume at once.
 *
 * @param times how often in a row it did not count, from 1
 * @param random a number from 0 up to 1
 */
export const uncountedDelaySeconds = (times: number, random: number): number =>
  withJitter(BASE_SECONDS * times, random)

/**
 * Seconds until an event that was not tried is received again, since Cloudinary is down: the delay grows with the outage,
 * so that SQS's 1,000 receives last for four days.
 *
 * @param outageMs how long the outage has lasted, in milliseconds
 * @param random a number from 0 up to 1
 */
export const outageDelaySeconds = (outageMs: number, random: number): number =>
  withJitter(outageMs / 10_000, random)

/** When a rate limit is over, plus up to 30 s, in milliseconds since the epoch. */
export const afterLimit = (until: Date, random: number): number =>
  until.getTime() + Math.round(random * LIMIT_SPREAD_MS)
