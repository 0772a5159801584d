import fc from 'fast-check'
import t from 'tap'
import {
  outageDelaySeconds,
  rateLimitResumeTime,
  retryDelaySeconds,
  uncountedRetryDelaySeconds
} from '../../../app/worker/backoff.ts'

/** The largest number that Math.random returns. */
const ALMOST_ONE = 1 - Number.EPSILON / 2

const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

t.test('the maximum delay doubles with each attempt, up to 15 minutes', async (t) => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((attempt) => retryDelaySeconds(attempt, ALMOST_ONE))
  t.strictSame(longest, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900])
})

t.test('spreads a delay evenly from 1 s to its maximum', async (t) => {
  t.equal(retryDelaySeconds(5, 0), 1)
  t.equal(retryDelaySeconds(5, 0.25), 8)
  t.equal(retryDelaySeconds(5, 0.5), 16)
  t.equal(retryDelaySeconds(5, 0.75), 24)
})

t.test('the delay after failures that do not count grows slowly', async (t) => {
  const longest = [1, 2, 3, 10, 100, 449, 450, 1000].map((times) =>
    uncountedRetryDelaySeconds(times, ALMOST_ONE)
  )
  t.strictSame(longest, [2, 4, 6, 20, 200, 898, 900, 900])
  t.equal(uncountedRetryDelaySeconds(100, 0.25), 50)
})

t.test('the delay during an outage grows with the outage', async (t) => {
  const longest = [0, 10_000, 600_000, 9_000_000, 90_000_000].map((ms) => outageDelaySeconds(ms, ALMOST_ONE))
  t.strictSame(longest, [1, 1, 60, 900, 900])
})

t.test('every delay is a whole number of seconds from 1 to 900', async () => {
  const isDelay = (delay: number) => Number.isInteger(delay) && delay >= 1 && delay <= 900
  fc.assert(
    fc.property(fc.nat(), anyRandom, (number, random) =>
      [retryDelaySeconds, uncountedRetryDelaySeconds, outageDelaySeconds].every((delay) =>
        isDelay(delay(number, random))
      )
    )
  )
})

t.test('waits for a rate limit and up to 30 s longer', async (t) => {
  const until = new Date('2026-06-01T12:10:00.000Z')
  t.equal(rateLimitResumeTime(until, 0) - until.getTime(), 0)
  t.equal(rateLimitResumeTime(until, 0.5) - until.getTime(), 15_000)
  t.equal(rateLimitResumeTime(until, ALMOST_ONE) - until.getTime(), 30_000)
})
