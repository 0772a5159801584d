import t from 'tap'
import { MinuteCounts } from '../../../app/metrics/minute-counts.ts'

const MINUTE = '2026-06-01T12:00:00.000Z'

t.test('adds up to totals', async (t) => {
  const counts = new MinuteCounts(MINUTE)
  t.notOk(counts.isChanged)
  counts.add('accepted', 2)
  counts.add('accepted', 1)
  counts.addRefused('SIGNATURE_INVALID', 1)
  counts.addRefused('SIGNATURE_INVALID', 4)
  counts.addRun('tag', 'runs', 1)
  counts.addRun('tag', 'failures', 1)
  counts.addLatency('acknowledge', 3)
  counts.addLatency('endToEnd', 40)
  t.ok(counts.isChanged)
  const record = counts.record()
  t.match(record, {
    minute: MINUTE,
    counts: { accepted: 3, done: 0, retried: 0, dead: 0, ignored: 0 },
    refused: { SIGNATURE_INVALID: 5 },
    processors: { tag: { runs: 2, failures: 1 } }
  })
  t.equal(record.acknowledge[2], 1)
  t.equal(record.endToEnd[6], 1)
  t.notOk(counts.isChanged)
  counts.add('done', 1)
  t.equal(record.counts.done, 0)
})

t.test('counts names beyond the fiftieth under one name', async (t) => {
  const counts = new MinuteCounts(MINUTE)
  for (let index = 0; index < 60; index++) {
    counts.addRefused(`CODE_${index}`, 1)
    counts.addRun(`processor-${index}`, 'runs', 1)
  }
  const { refused, processors } = counts.record()
  t.equal(Object.keys(refused).length, 51)
  t.equal(refused['(others)'], 10)
  t.equal(processors['(others)']?.runs, 10)
})
