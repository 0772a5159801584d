/** Upper bound of the first retry delay, in seconds. Doubles with each attempt. */
const BASE_SECONDS = 2

/** Maximum delay, in seconds. */
const MAX_SECONDS = 900

/** Maximum time added to the end of a rate limit, in milliseconds, so that not all events resume at once. */
const LIMIT_SPREAD_MS = 30_000

const withJitter = (seconds: number, random: number): number =>
  Math.max(1, Math.round(random * Math.min(MAX_SECONDS, seconds)))

/**
 * Returns the seconds until the next attempt: exponential backoff with full jitter, which spreads the retries
 * of events that failed together.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param attempt number of failed attempts, from 1
 * @param random a number from 0 up to 1
 */
export const retryDelaySeconds = (attempt: number, random: number): number =>
  withJitter(BASE_SECONDS * 2 ** (attempt - 1), random)

/**
 * Returns the seconds until the next attempt after one that did not count. Such attempts are unlimited, but
 * SQS dead-letters a message after 1,000 receives. So the delay grows, but slowly, so that events resume soon
 * after an outage.
 *
 * @param times number of consecutive attempts that did not count, from 1
 * @param random a number from 0 up to 1
 */
export const uncountedRetryDelaySeconds = (times: number, random: number): number =>
  withJitter(BASE_SECONDS * times, random)

/**
 * Returns the seconds until the next receive of an event that did not run because Cloudinary is down. The
 * delay grows with the outage, so that an event reaches the limit of 1,000 receives only after four days or
 * more.
 *
 * @param outageMs duration of the outage so far, in milliseconds
 * @param random a number from 0 up to 1
 */
export const outageDelaySeconds = (outageMs: number, random: number): number =>
  withJitter(outageMs / 10_000, random)

/** Returns the end of a rate limit plus up to 30 s, in milliseconds since the epoch. */
export const rateLimitResumeTime = (until: Date, random: number): number =>
  until.getTime() + Math.round(random * LIMIT_SPREAD_MS)
