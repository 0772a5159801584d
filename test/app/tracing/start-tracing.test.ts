import type { ServerResponse } from 'node:http'
import { trace } from '@opentelemetry/api'
import t from 'tap'
import { SILENT } from '../../../app/logger.ts'
import { sampleNotification } from '../../../app/testing/samples.ts'
import { startTracing, TraceIds } from '../../../app/tracing/start-tracing.ts'
import { memoryLog } from '../../support/activity.ts'
import { startCollector } from '../../support/collector.ts'
import { sampleEvent } from '../../support/events.ts'
import { buildWeb, NOW } from '../../support/web.ts'

/** Time to send the remaining spans. */
const SHORT_MS = 50
const LONG_MS = 30_000

const event = sampleEvent('upload')
const BODY = JSON.stringify(sampleNotification('upload', { now: new Date(NOW) }))

t.test('a trace has the id that was set for it, otherwise a random one', async (t) => {
  const ids = new TraceIds()
  t.match(ids.generateTraceId(), /^[0-9a-f]{32}$/)
  t.not(ids.generateTraceId(), ids.generateTraceId())
  ids.next = 'a'.repeat(32)
  t.equal(ids.generateTraceId(), 'a'.repeat(32))
})

t.test('a processor may add spans below its own with the API', async (t) => {
  const collector = await startCollector()
  t.teardown(() => collector.stop())
  const first = startTracing('web', collector.url, {}, SILENT)
  const second = startTracing('worker', collector.url, {}, SILENT)
  await first.processor('mine', async () => {
    trace.getTracer('own').startSpan('own').end()
    return { outcome: 'succeeded' }
  })
  await Promise.all([second.stop(), first.stop()])
  const [own, mine] = ['own', 'processor mine'].map((wanted) =>
    collector.spans.find(({ name }) => name === wanted)
  )
  t.equal(own?.parentSpanId, mine?.spanId)
  t.equal(own?.traceId, mine?.traceId)
  const after = trace.getTracer('own').startSpan('after')
  t.notOk(after.isRecording(), 'until the role stops')
})

t.test('an unreachable collector neither delays nor fails an acknowledgement', async (t) => {
  const { log, lines } = memoryLog()
  const tracing = startTracing('web', 'http://127.0.0.1:1/v1/traces', {}, log, SHORT_MS)
  const { post, stored } = await buildWeb(t, { tracing })
  t.equal((await post(BODY)).statusCode, 200)
  t.equal(stored().length, 1)
  await tracing.stop()
  t.ok(lines.length <= 1)
})

t.test('while the collector does not answer, memory is bounded; later spans arrive again', async (t) => {
  const collector = await startCollector()
  t.teardown(() => collector.stop())
  const waiting: ServerResponse[] = []
  let requested = () => {}
  collector.answer = (response) => {
    waiting.push(response)
    requested()
  }
  const tracing = startTracing('web', collector.url, {}, SILENT, LONG_MS)
  const burst = (spans: number) =>
    Promise.all(Array.from({ length: spans }, () => tracing.send([event], async () => {})))
  const firstExport = new Promise<void>((resolve) => {
    requested = resolve
  })
  await burst(512)
  await firstExport
  await burst(3000)
  t.equal(collector.spans.length, 512, 'one export at a time')

  collector.answer = (response) => response.end()
  for (const response of waiting) response.end()
  await tracing.stop()
  t.equal(collector.spans.length, 512 + 2048, 'the rest was dropped')
})

t.test('a stop does not wait for a collector that does not answer', async (t) => {
  const collector = await startCollector()
  t.teardown(() => collector.stop())
  collector.answer = () => {}
  const tracing = startTracing('web', collector.url, {}, SILENT, SHORT_MS)
  await tracing.send([event], async () => {})
  const startedAt = performance.now()
  await tracing.stop()
  t.ok(performance.now() - startedAt < 4000, 'the export itself times out after 5 s')
})
