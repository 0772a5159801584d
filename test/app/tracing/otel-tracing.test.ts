import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider
} from '@opentelemetry/sdk-trace'
import t from 'tap'
import { CloudinaryError } from '../../../app/cloudinary/cloudinary-error.ts'
import { ListenerError } from '../../../app/errors.ts'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { OtelTracing } from '../../../app/tracing/otel-tracing.ts'
import { TraceIds } from '../../../app/tracing/start-tracing.ts'
import { sampleEvent } from '../../support/events.ts'

const event = sampleEvent('upload')
const message = { id: 'message-1', body: '{}', group: 'g', receiveCount: 2 }
const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/123456789012/events.fifo'

function build({ hasQueue = true, isSampled = true } = {}) {
  const exporter = new InMemorySpanExporter()
  const ids = new TraceIds()
  const provider = new TracerProvider({
    idGenerator: ids,
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    ...(!isSampled && { sampler: new AlwaysOffSampler() })
  })
  const contexts = new AsyncLocalStorageContextManager().enable()
  const tracing = new OtelTracing({
    tracer: provider.getTracer('test'),
    contexts,
    ids,
    queueUrl: hasQueue ? queueUrl : undefined
  })
  return { tracing, spans: () => exporter.getFinishedSpans() }
}

const REQUEST = {
  kind: 'request',
  startedAt: Date.parse('2026-06-01T12:00:00Z'),
  traceId: 'Root=1',
  route: '/webhooks/cloudinary',
  path: '/webhooks/cloudinary/',
  scheme: 'https',
  headers: {}
} as const

const statusOf = ({ status, attributes }: ReadableSpan) => ({ ...status, type: attributes['error.type'] })

t.test('a notification that is not authentic has no span', async (t) => {
  const { tracing, spans } = build()
  tracing.receive(REQUEST).end({ outcome: 'refused', code: 'SIGNATURE_INVALID' }, 401)
  t.strictSame(spans(), [])
})

t.test('the span of a notification starts with its request', async (t) => {
  const { tracing, spans } = build()
  const span = tracing.receive(REQUEST)
  t.equal(await span.run('demo', async () => 1), 1)
  span.end({ outcome: 'accepted', summary: { type: 'upload', ids: ['a', 'b'] } }, 200)
  const [received] = spans()
  t.strictSame(received?.startTime, [REQUEST.startedAt / 1000, 0])
  t.equal(received?.kind, SpanKind.SERVER)
  t.match(received?.attributes, { 'url.path': '/webhooks/cloudinary/', 'cloudinary.event.ids': ['a', 'b'] })
  t.strictSame(statusOf(received!), { code: SpanStatusCode.UNSET, type: undefined })
})

t.test('a poll message starts a trace', async (t) => {
  const { tracing, spans } = build()
  const span = tracing.receive({ kind: 'poll', channel: 'orders', startedAt: Date.now(), traceId: 'Poll=1' })
  await span.run('demo', async () => {})
  span.end({ outcome: 'accepted' })
  t.match(spans(), [{ name: 'process orders', kind: SpanKind.CONSUMER, parentSpanContext: undefined }])
  t.notOk('http.response.status_code' in spans()[0]!.attributes)
})

t.test("a notification that was not stored is an error; a refused one is the sender's", async (t) => {
  const { tracing, spans } = build()
  for (const outcome of [
    { outcome: 'unavailable', code: 'QUEUE_UNAVAILABLE', reason: 'SQS did not store every event' },
    { outcome: 'unavailable', code: 'INTERNAL' },
    { outcome: 'refused', code: 'EVENT_TOO_LARGE', reason: 'it is too large' }
  ]) {
    const span = tracing.receive({ ...REQUEST, traceId: undefined })
    await span.run('demo', async () => {})
    span.end({ ...outcome, summary: { type: undefined, ids: [] } })
  }
  t.strictSame(spans().map(statusOf), [
    { code: SpanStatusCode.ERROR, message: 'SQS did not store every event', type: 'QUEUE_UNAVAILABLE' },
    { code: SpanStatusCode.ERROR, type: 'INTERNAL' },
    { code: SpanStatusCode.UNSET, type: 'EVENT_TOO_LARGE' }
  ])
  t.notOk('cloudinary.trace_id' in spans()[0]!.attributes)
})

t.test('a load balancer names the trace, and only that one', async (t) => {
  const { tracing, spans } = build()
  for (const headers of [{ 'x-amzn-trace-id': 'Root=1-67891233-abcdef012345678912345678' }, {}]) {
    const span = tracing.receive({ ...REQUEST, headers })
    await span.run('demo', async () => {})
    span.end({ outcome: 'accepted' }, 200)
  }
  const [first, second] = spans().map((span) => span.spanContext().traceId)
  t.equal(first, '67891233abcdef012345678912345678')
  t.not(second, first)
})

t.test('events are sent with the context of their span, counted if there are several', async (t) => {
  const { tracing, spans } = build()
  const sent: AssetEvent[] = []
  await tracing.send([event, { ...event, id: 'other' }], async (traced) => void sent.push(...traced))
  await tracing.send([], async () => {})
  const { traceId, spanId } = spans()[0]!.spanContext()
  const traceparent = `00-${traceId}-${spanId}-01`
  t.strictSame(sent, [
    { ...event, traceparent },
    { ...event, id: 'other', traceparent }
  ])
  t.strictSame(
    spans().map(({ attributes }) => attributes['messaging.batch.message_count']),
    [2, 0]
  )
})

t.test('an event that is not sampled says so to the worker', async (t) => {
  const { tracing, spans } = build({ isSampled: false })
  const sent: AssetEvent[] = []
  await tracing.send([event], async (traced) => void sent.push(...traced))
  t.match(sent[0]?.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  t.strictSame(spans(), [])
})

t.test('works without a queue', async (t) => {
  const { tracing, spans } = build({ hasQueue: false })
  await tracing.send([event], async () => {})
  t.equal(spans()[0]?.name, 'send unknown')
  t.notOk('aws.sqs.queue.url' in spans()[0]!.attributes)
})

t.test('describes an event like its log lines', async (t) => {
  const { tracing, spans } = build()
  const process = (asset: AssetEvent['asset']) =>
    tracing.process(message, { ...event, asset, traceparent: 'x' }, async () => ({ outcome: 'processed' }))
  await process({ assetId: 'a1', publicId: 'bag' })
  await process({ assetId: 'a1' })
  await process(null)
  t.strictSame(
    spans().map(({ attributes }) => attributes['cloudinary.asset']),
    ['bag', 'a1', undefined]
  )
  t.match(spans()[0], { name: 'process events.fifo', kind: SpanKind.CONSUMER, parentSpanContext: undefined })
})

t.test('an outcome with a failure is an error', async (t) => {
  const { tracing, spans } = build()
  for (const outcome of ['processed', 'ignored', 'retrying', 'dead']) {
    t.strictSame(await tracing.process(message, event, async () => ({ outcome })), { outcome })
  }
  t.strictSame(spans().map(statusOf), [
    { code: SpanStatusCode.UNSET, type: undefined },
    { code: SpanStatusCode.UNSET, type: undefined },
    { code: SpanStatusCode.ERROR, type: 'retrying' },
    { code: SpanStatusCode.ERROR, type: 'dead' }
  ])
})

t.test('records errors by code, with a short message without secrets, and throws them', async (t) => {
  const { tracing, spans } = build()
  const error = new ListenerError('JOURNAL_UNAVAILABLE', `Bearer 0123456789abcdef ${'x'.repeat(600)}`)
  const fail = async () => {
    throw error
  }
  await t.rejects(tracing.process(message, event, fail), error)
  await t.rejects(tracing.send([event], fail), error)
  for (const span of spans()) {
    t.match(statusOf(span), {
      code: SpanStatusCode.ERROR,
      type: 'JOURNAL_UNAVAILABLE',
      message: /^Bearer … x+$/
    })
    t.equal(span.status.message?.length, 500)
  }
})

t.test('a failed run is an error of the processor, whatever it throws', async (t) => {
  const { tracing, spans } = build()
  for (const error of [new TypeError('bad'), 'text', undefined]) {
    await tracing.processor('mine', async () => ({ outcome: 'failed', error }))
  }
  t.strictSame(spans().map(statusOf), [
    { code: SpanStatusCode.ERROR, message: 'bad', type: 'TypeError' },
    { code: SpanStatusCode.ERROR, message: 'thrown value is not an Error', type: 'string' },
    { code: SpanStatusCode.ERROR, message: 'thrown value is not an Error', type: 'undefined' }
  ])
})

t.test('calls have spans only while something is traced', async (t) => {
  const { tracing, spans } = build()
  const call = { name: 'add tag', cloudName: 'demo', apiUrl: 'https://api-eu.cloudinary.com' }
  t.equal(await tracing.cloudinary(call, async () => 1), 1)
  t.equal(await tracing.dynamoDb('GetItem', 'journal', async () => 2), 2)
  t.strictSame(spans(), [])
  await tracing.process(message, event, async () => {
    const rejected = new CloudinaryError('CLOUDINARY_REJECTED', 'no', { kind: 'permanent' }, 400)
    await t.rejects(tracing.cloudinary(call, () => Promise.reject(rejected)))
    const unmet = Object.assign(new Error('unmet'), { name: 'ConditionalCheckFailedException' })
    await t.rejects(tracing.dynamoDb('UpdateItem', 'journal', () => Promise.reject(unmet)))
    return { outcome: 'processed' }
  })
  const [cloudinary, journal, process] = spans()
  t.equal(cloudinary?.parentSpanContext?.spanId, process?.spanContext().spanId)
  t.match(cloudinary, {
    name: 'cloudinary add tag',
    attributes: {
      'server.address': 'api-eu.cloudinary.com',
      'http.response.status_code': 400,
      'error.type': 'CLOUDINARY_REJECTED'
    }
  })
  t.match(journal, {
    name: 'UpdateItem journal',
    status: { code: SpanStatusCode.UNSET },
    attributes: { 'db.response.status_code': 'ConditionalCheckFailedException' }
  })
})
