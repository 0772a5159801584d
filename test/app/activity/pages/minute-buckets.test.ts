import t from 'tap'
import {
  bucketsOf,
  isWindow,
  WINDOWS,
  type Window,
  windowStart
} from '../../../../app/activity/pages/minute-buckets.ts'
import { iso, minuteCounts, NOW } from '../../../support/activity-events.ts'

t.test('a window ends with the current minute', async (t) => {
  t.equal(windowStart('1h', NOW + 30_000), '2026-06-01T11:01:00.000Z')
  t.equal(windowStart('6h', NOW), '2026-06-01T06:05:00.000Z')
  t.equal(bucketsOf([], '1h', NOW + 30_000).at(-1)?.start, '2026-06-01T12:00:00.000Z')
})

t.test('a window has a bucket for each bar', async (t) => {
  for (const window of Object.keys(WINDOWS) as Window[]) {
    t.equal(bucketsOf([], window, NOW).length, WINDOWS[window].minutes / WINDOWS[window].bucketMinutes)
  }
})

t.test('a bucket has the sums of its minutes, and the highest percentiles', async (t) => {
  const minutes = [
    minuteCounts(NOW, {
      accepted: 1,
      refused: { A: 2, B: 3 },
      done: 4,
      acknowledge: { p50: 1, p95: 20, p99: 30 }
    }),
    minuteCounts(NOW + 60_000, {
      accepted: 5,
      dead: 1,
      acknowledge: { p50: 1, p95: 7, p99: 9 },
      endToEnd: { p95: 9 }
    }),
    minuteCounts(NOW + 120_000, { retried: 2, ignored: 3, endToEnd: { p95: 3 } })
  ]
  const last = bucketsOf(minutes, '6h', NOW + 180_000).at(-1)
  t.strictSame(last, {
    start: iso(NOW),
    accepted: 6,
    refused: 5,
    done: 4,
    retried: 2,
    dead: 1,
    ignored: 3,
    acknowledgeP95: 20,
    endToEndP95: 9
  })
})

t.test('minutes outside the window are left out', async (t) => {
  const far = [minuteCounts(NOW - 7_200_000, { done: 1 }), minuteCounts(NOW + 7_200_000, { done: 1 })]
  t.ok(bucketsOf(far, '1h', NOW).every(({ done }) => done === 0))
})

t.test('only known windows are valid', async (t) => {
  t.ok(isWindow('24h'))
  for (const other of ['2h', 'constructor', undefined, ['1h']]) t.notOk(isWindow(other))
})
