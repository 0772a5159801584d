import { pino } from 'pino'
import t from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { SERIALIZERS } from '../../../app/logger.ts'
import { describeEvent, Report } from '../../../app/worker/event-report.ts'
import type { Failure } from '../../../app/worker/run-processor.ts'
import { sampleEvent } from '../../support/events.ts'
import { memoryMetrics } from '../../support/metrics.ts'

const upload: AssetEvent = { ...sampleEvent('upload', { publicId: 'bag' }), traceId: 'Root=1' }

const failure: Failure = {
  outcome: 'failed',
  processor: 'tag',
  fault: { kind: 'retryable' },
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
  const report = new Report(event, { log, metrics, clock: () => Date.parse(event.receivedAt) + 1500 })
  return { report, lines, counts, durations }
}

t.test(
  'every line says which event it is about, and what the load balancer called its request',
  async (t) => {
    const { report, lines } = build()
    const now = Date.parse(upload.receivedAt) + 1500
    report.ignored('no processor is on upload')
    report.duplicate()
    report.ran({ outcome: 'succeeded', processor: 'tag', note: 'tagged', milliseconds: 5 })
    report.deadLettered(failure)
    report.retried([
      { failure, attempt: 3, at: now + 8000 },
      { failure: { ...failure, processor: 'stamp' }, attempt: 1, at: now + 1 }
    ])
    report.superseded()
    report.log.info('a line of a processor')
    t.equal(lines.length, 8)
    for (const line of lines) {
      t.match(line, {
        eventId: upload.id,
        type: 'upload',
        environment: 'demo',
        asset: 'bag',
        traceId: 'Root=1'
      })
    }
    t.match(lines[4], {
      level: 40,
      processor: 'tag',
      outcome: 'failed',
      fault: 'retryable',
      err: { message: 'not yet' },
      milliseconds: 7,
      attempt: 3,
      retryInSeconds: 8,
      msg: 'event failed; it will be tried again'
    })
    t.match(lines[5], { processor: 'stamp', retryInSeconds: 1 })
    t.match(lines[6], { level: 40, code: 'LEASE_LOST' })
  }
)

t.test('an asset without a public id is told by its id, and a run of an operator by its kind', async (t) => {
  const { publicId: _, ...asset } = upload.asset!
  t.match(describeEvent({ ...upload, asset, run: { kind: 'replay', id: 'p1' } }), {
    asset: asset.assetId,
    run: 'replay'
  })
  t.match(describeEvent({ ...upload, asset: null }), { asset: undefined })
})

t.test('a failed run is counted at once, and told when it is known what becomes of the event', async (t) => {
  const { report, lines, counts, durations } = build()
  report.ran(failure)
  t.strictSame(lines, [])
  t.strictSame(counts, { 'ProcessorFailed tag': 1 })
  t.strictSame(durations, { 'ProcessorDuration tag': [7] })
})

t.test('an event that is tried again is counted once, however many of its processors failed', async (t) => {
  const { report, counts } = build()
  report.retried([
    { failure, attempt: 1, at: 0 },
    { failure, attempt: 1, at: 0 }
  ])
  t.strictSame(counts, { EventsRetried: 1 })
})

t.test('what is processed is counted, with the time since it was received', async (t) => {
  const { report, counts, durations } = build()
  report.processed()
  t.strictSame(counts, { EventsProcessed: 1 })
  t.strictSame(durations, { EndToEndLatency: [1500] })
})

t.test('what an operator had run again is counted without the time that took', async (t) => {
  const { report, counts, durations } = build({ ...upload, run: { kind: 'redrive', id: 'r1' } })
  report.processed()
  t.strictSame(counts, { EventsProcessed: 1 })
  t.strictSame(durations, {})
})

t.test('letters, duplicates and what is ignored are counted', async (t) => {
  const { report, counts } = build()
  report.deadLettered(failure)
  report.duplicate()
  report.ignored('own')
  t.strictSame(counts, { EventsDeadLettered: 1, EventsDuplicate: 1, EventsIgnored: 1 })
})
