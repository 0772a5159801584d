import { pino } from 'pino'
import t from 'tap'
import type { MinuteRecord } from '../../../app/metrics/minute-counts.ts'
import { MinuteMetrics } from '../../../app/metrics/minute-metrics.ts'

function build(put: (record: MinuteRecord) => Promise<void> = async () => {}) {
  const lines: { level: number; msg: string }[] = []
  const records: MinuteRecord[] = []
  let now = Date.parse('2026-06-01T12:00:30Z')
  let beat = () => {}
  let isTimerStopped = false
  const metrics = new MinuteMetrics({
    put: async (record) => {
      await put(record)
      records.push(record)
    },
    log: pino({}, { write: (text) => void lines.push(JSON.parse(text)) }),
    clock: () => now,
    every: (_milliseconds, given) => {
      beat = given
      return () => {
        isTimerStopped = true
      }
    }
  })
  metrics.start()
  return {
    metrics,
    lines,
    records,
    beat: async () => {
      beat()
      await new Promise(setImmediate)
    },
    pass: (milliseconds: number) => {
      now += milliseconds
    },
    isTimerStopped: () => isTimerStopped
  }
}

t.test('writes the totals of the minute so far, and only if they changed', async (t) => {
  const { metrics, records, beat, pass } = build()
  metrics.count('NotificationsAccepted', 1)
  metrics.count('EventsStored', 1)
  metrics.count('NotificationsRefused', 1, { Reason: 'SIGNATURE_INVALID' })
  metrics.count('NotificationsUnavailable', 1, { Reason: 'QUEUE_UNAVAILABLE' })
  metrics.count('ProcessorProcessed', 1, { Processor: 'tag' })
  metrics.count('ProcessorFailed', 1, { Processor: 'tag' })
  metrics.time('AckLatency', 3)
  metrics.time('ProcessorDuration', 3, { Processor: 'tag' })
  metrics.gauge('BreakerOpen', () => 1)
  await beat()
  await beat()
  metrics.count('NotificationsAccepted', 1)
  await beat()
  pass(60_000)
  metrics.count('EventsProcessed', 1)
  await beat()
  await beat()
  t.match(records, [
    {
      minute: '2026-06-01T12:00:00.000Z',
      counts: { accepted: 1 },
      refused: { SIGNATURE_INVALID: 1, QUEUE_UNAVAILABLE: 1 },
      processors: { tag: { runs: 2, failures: 1 } }
    },
    { minute: '2026-06-01T12:00:00.000Z', counts: { accepted: 2 } },
    { minute: '2026-06-01T12:01:00.000Z', counts: { accepted: 0, done: 1 } }
  ])
  t.equal(records.length, 3)
})

t.test('keeps five minutes while they cannot be written, and logs it once a minute', async (t) => {
  let isDown = true
  const { metrics, lines, records, beat, pass } = build(async () => {
    if (isDown) throw new Error('down')
  })
  for (let minute = 0; minute < 7; minute++) {
    metrics.count('EventsIgnored', 1)
    await beat()
    await beat()
    pass(60_000)
  }
  t.equal(lines.length, 7)
  t.match(lines[0], { level: 40, err: { message: 'down' } })
  isDown = false
  await beat()
  t.strictSame(
    records.map(({ minute }) => minute.slice(14, 16)),
    ['02', '03', '04', '05', '06']
  )
})

t.test('has one write in flight, and writes the rest when it stops', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  let calls = 0
  const { metrics, records, beat, isTimerStopped } = build(async () => {
    calls++
    await promise
  })
  metrics.count('EventsRetried', 1)
  await beat()
  await beat()
  t.equal(calls, 1)
  metrics.count('EventsRetried', 1)
  const stopped = metrics.stop()
  t.ok(isTimerStopped())
  resolve()
  await stopped
  t.match(records, [{ counts: { retried: 1 } }, { counts: { retried: 2 } }])
})

t.test('by default writes every ten seconds with a timer that does not keep the process', async (t) => {
  const metrics = new MinuteMetrics({ put: async () => {}, log: pino({ level: 'silent' }), clock: Date.now })
  await metrics.stop()
  metrics.start()
  await metrics.stop()
  t.pass('stopped')
})
