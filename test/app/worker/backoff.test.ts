import fc from 'fast-check'
import t from 'tap'
import { handBackDelaySeconds, limitDelaySeconds, retryDelaySeconds } from '../../../app/worker/backoff.ts'

/** The largest number that Math.random gives. */
const ALMOST_ONE = 1 - Number.EPSILON / 2

const LONGEST = 42_000

const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

t.test('each retry may wait twice as long as the one before, up to a quarter of an hour', async (t) => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((attempt) => retryDelaySeconds(attempt, ALMOST_ONE))
  t.strictSame(longest, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900])
})

t.test('a retry waits anything from a second to its longest, evenly', async (t) => {
  t.equal(retryDelaySeconds(5, 0), 1)
  t.equal(retryDelaySeconds(5, 0.25), 8)
  t.equal(retryDelaySeconds(5, 0.5), 16)
  t.equal(retryDelaySeconds(5, 0.75), 24)
})

t.test(
  'whatever the attempt and the chance, the delay is a whole number of seconds within bounds',
  async () => {
    const anyAttempt = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1 }))
    fc.assert(
      fc.property(anyAttempt, anyRandom, (attempt, random) => {
        const delay = retryDelaySeconds(attempt, random)
        return Number.isInteger(delay) && delay >= 1 && delay <= 900 && delay <= 2 ** attempt
      })
    )
  }
)

t.test('what is handed back uncounted goes on at once at first, and waits ever longer', async (t) => {
  const longest = [1, 2, 3, 10, 100, 449, 450, 1000].map((receives) =>
    handBackDelaySeconds(receives, ALMOST_ONE)
  )
  t.strictSame(longest, [2, 4, 6, 20, 200, 898, 900, 900])
  t.equal(handBackDelaySeconds(100, 0.25), 50, 'evenly')
  t.equal(handBackDelaySeconds(1000, 0), 1, 'a second at least')
})

t.test('a rate limit is waited for, and up to half a minute longer', async (t) => {
  const now = Date.parse('2026-06-01T12:00:00.000Z')
  const until = new Date('2026-06-01T12:10:00.000Z')
  t.equal(limitDelaySeconds(until, now, 0), 600)
  t.equal(limitDelaySeconds(until, now, 0.5), 615)
  t.equal(limitDelaySeconds(until, now, ALMOST_ONE), 630)
  t.equal(limitDelaySeconds(until, now + 1, 0), 600, 'a part of a second counts as one')
})

t.test('a rate limit that is over is waited for a second at least', async (t) => {
  t.equal(limitDelaySeconds(new Date(0), 0, 0), 1)
  t.equal(limitDelaySeconds(new Date(0), 3_600_000, ALMOST_ONE), 1)
})

t.test('whatever the limit, the delay is one that SQS takes and never ends before the limit', async () => {
  const anyTime = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01T00:00:00Z') })
  fc.assert(
    fc.property(anyTime, anyTime, anyRandom, (until, now, random) => {
      const delay = limitDelaySeconds(until, now.getTime(), random)
      const longEnough = now.getTime() + delay * 1000 >= until.getTime() || delay === LONGEST
      return Number.isInteger(delay) && delay >= 1 && delay <= LONGEST && longEnough
    })
  )
})
