import { pino } from 'pino'
import t from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { SERIALIZERS } from '../../../app/logger.ts'
import { describeEvent, type EventOutcome, EventReport } from '../../../app/worker/event-report.ts'
import type { FailedRun } from '../../../app/worker/run-processor.ts'
import { sampleEvent } from '../../support/events.ts'
import { memoryMetrics } from '../../support/metrics.ts'

const upload: AssetEvent = { ...sampleEvent('upload', { publicId: 'bag' }), traceId: 'Root=1' }
const NOW = Date.parse(upload.receivedAt) + 1500

const failed: FailedRun = {
  outcome: 'failed',
  processor: 'tag',
  failure: { kind: 'retryable' },
  error: new Error('not yet'),
  milliseconds: 7
}

function build(event: AssetEvent = upload) {
  const lines: Record<string, unknown>[] = []
  const { metrics, counts, durations } = memoryMetrics()
  const log = pino(
    { base: {}, timestamp: false, serializers: SERIALIZERS },
    { write: (line) => void lines.push(JSON.parse(line)) }
  )
  const report = new EventReport(event, { log, metrics, clock: () => NOW })
  return { report, lines, counts, durations }
}

t.test('every line names the event and the trace id of its request', async (t) => {
  const { report, lines } = build()
  report.ran({ outcome: 'succeeded', processor: 'tag', note: 'tagged', milliseconds: 5 })
  report.deadLettered(failed)
  report.ended({ outcome: 'ignored', reason: 'no processor handles upload' })
  report.log.info('a line of a processor')
  t.equal(lines.length, 4)
  const about = { eventId: upload.id, type: 'upload', environment: 'demo', asset: 'bag', traceId: 'Root=1' }
  for (const line of lines) t.match(line, about)
})

t.test('describes an asset without a public id by its id, and a replay by its kind', async (t) => {
  const { publicId: _, ...asset } = upload.asset!
  t.match(describeEvent({ ...upload, asset, run: { kind: 'replay', id: 'p1' } }), {
    asset: asset.assetId,
    run: 'replay'
  })
  t.match(describeEvent({ ...upload, asset: null }), { asset: undefined })
})

t.test('counts a failed run at once, and logs it with the outcome of the event', async (t) => {
  const { report, lines, counts, durations } = build()
  report.ran(failed)
  t.strictSame(lines, [])
  t.strictSame(counts, { 'ProcessorFailed tag': 1 })
  t.strictSame(durations, { 'ProcessorDuration tag': [7] })
})

t.test('counts and logs a dead letter', async (t) => {
  const { report, lines, counts } = build()
  report.deadLettered(failed)
  t.match(lines, [{ level: 50, processor: 'tag', err: { message: 'not yet' } }])
  t.strictSame(counts, { EventsDeadLettered: 1 })
})

t.test('counts a retried event once and logs each failure', async (t) => {
  const { report, lines, counts } = build()
  const retries = [
    { run: failed, attempt: 3, at: NOW + 8000 },
    { run: { ...failed, processor: 'stamp' }, attempt: 1, at: NOW + 1 }
  ]
  report.ended({ outcome: 'retrying', retries, delaySeconds: 1 })
  t.strictSame(counts, { EventsRetried: 1 })
  t.match(lines, [
    {
      level: 40,
      processor: 'tag',
      outcome: 'failed',
      fault: 'retryable',
      err: { message: 'not yet' },
      milliseconds: 7,
      attempt: 3,
      retryInSeconds: 8
    },
    { processor: 'stamp', attempt: 1, retryInSeconds: 1 }
  ])
})

t.test('counts a processed event with its latency, except after a redrive', async (t) => {
  const { report, counts, durations } = build()
  report.ended({ outcome: 'processed' })
  t.strictSame(counts, { EventsProcessed: 1 })
  t.strictSame(durations, { EndToEndLatency: [1500] })
  const redriven = build({ ...upload, run: { kind: 'redrive', id: 'r1' } })
  redriven.report.ended({ outcome: 'processed' })
  t.strictSame(redriven.counts, { EventsProcessed: 1 })
  t.strictSame(redriven.durations, {})
})

const OTHERS: [EventOutcome, counts: Record<string, number>, lines: object[]][] = [
  [{ outcome: 'ignored', reason: 'own' }, { EventsIgnored: 1 }, [{ outcome: 'ignored', reason: 'own' }]],
  [{ outcome: 'duplicate' }, { EventsDuplicate: 1 }, [{ outcome: 'duplicate' }]],
  [{ outcome: 'superseded', delaySeconds: 0 }, {}, [{ level: 40, code: 'LEASE_LOST' }]],
  [{ outcome: 'dead' }, {}, []],
  [{ outcome: 'deferred', delaySeconds: 5 }, {}, []],
  [{ outcome: 'retrying', retries: [], delaySeconds: 5 }, {}, []]
]
for (const [outcome, expectedCounts, expectedLines] of OTHERS) {
  t.test(`reports the outcome ${JSON.stringify(outcome)}`, async (t) => {
    const { report, lines, counts } = build()
    report.ended(outcome)
    t.strictSame(counts, expectedCounts)
    t.equal(lines.length, expectedLines.length)
    t.match(lines, expectedLines)
  })
}
