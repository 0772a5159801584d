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

t.test('a notification that fails unexpectedly ends its span', async (t) => {
  const { tracing, spans } = build()
  const span = tracing.receive(REQUEST)
  await t.rejects(
    span.run('demo', async () => {
      throw new TypeError('a bug')
    })
  )
  t.match(spans(), [{ name: 'POST /webhooks/cloudinary', status: { message: 'a bug' } }])
})

t.test('errors pass through, and end their spans', async (t) => {
  const { tracing, spans } = build()
  const error = new TypeError('a bug')
  const fail = async () => {
    throw error
  }
  await t.rejects(tracing.process(message, event, fail), error)
  await t.rejects(tracing.send([event], fail), error)
  t.match(spans().map(statusOf), [{ type: 'TypeError' }, { type: 'TypeError' }])
})

t.test('what is sent again has a link to where it was sent before', async (t) => {
  const { tracing, spans } = build()
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await tracing.send([{ ...event, traceparent }, event], async () => {})
  t.match(spans()[0]?.links, [{ context: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736' } }])
  t.equal(spans()[0]?.links.length, 1)
})

t.test('a failed run is an error of its processor', async (t) => {
  const { tracing, spans } = build()
  await tracing.processor('mine', async () => ({ outcome: 'failed', error: new TypeError('bad') }))
  await tracing.processor('mine', async () => ({ outcome: 'succeeded' }))
  t.strictSame(spans().map(statusOf), [
    { code: SpanStatusCode.ERROR, message: 'bad', type: 'TypeError' },
    { code: SpanStatusCode.UNSET, type: undefined }
  ])
})
