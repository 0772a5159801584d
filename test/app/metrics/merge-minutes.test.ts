import t from 'tap'
import { mergeMinutes } from '../../../app/metrics/merge-minutes.ts'
import { MinuteCounts } from '../../../app/metrics/minute-counts.ts'

const [FIRST, SECOND] = ['2026-06-01T12:00:00.000Z', '2026-06-01T12:01:00.000Z'] as const

function record(minute: string, accepted: number, count: (counts: MinuteCounts) => void = () => {}) {
  const counts = new MinuteCounts(minute)
  counts.add('accepted', accepted)
  count(counts)
  return counts.record()
}

t.test('sums the counts of several processes by minute, oldest first', async (t) => {
  const busy = (counts: MinuteCounts) => {
    counts.addRefused('SIGNATURE_INVALID', 2)
    counts.addRun('tag', 'runs', 3)
    counts.addRun('tag', 'failures', 1)
    counts.addLatency('acknowledge', 4)
    counts.addLatency('endToEnd', 900)
  }
  t.strictSame(mergeMinutes([record(SECOND, 1), record(FIRST, 2, busy), record(FIRST, 3, busy)]), [
    {
      minute: FIRST,
      accepted: 5,
      done: 0,
      retried: 0,
      dead: 0,
      ignored: 0,
      refused: { SIGNATURE_INVALID: 4 },
      processors: { tag: { runs: 8, failures: 2 } },
      acknowledge: { p50: 5, p95: 5, p99: 5 },
      endToEnd: { p95: 1000 }
    },
    {
      minute: SECOND,
      accepted: 1,
      done: 0,
      retried: 0,
      dead: 0,
      ignored: 0,
      refused: {},
      processors: {},
      acknowledge: undefined,
      endToEnd: undefined
    }
  ])
})
