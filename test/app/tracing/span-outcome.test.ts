import { SpanStatusCode } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import t from 'tap'
import { CloudinaryError } from '../../../app/cloudinary/cloudinary-error.ts'
import { ListenerError } from '../../../app/errors.ts'
import { endReceive, fail, failWith } from '../../../app/tracing/span-outcome.ts'

const { ERROR, UNSET } = SpanStatusCode

function build() {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  return {
    start: () => provider.getTracer('test').startSpan('span'),
    outcomes: () =>
      exporter.getFinishedSpans().map(({ status, attributes }) => ({ ...status, ...attributes }))
  }
}

t.test('ends the span of a notification; a refusal is the error of its sender', async (t) => {
  const { start, outcomes } = build()
  const summary = { type: 'upload', ids: ['a', 'b'] }
  endReceive(start(), { outcome: 'accepted', summary }, 200)
  endReceive(start(), { outcome: 'unavailable', code: 'QUEUE_UNAVAILABLE', reason: 'not stored' }, 503)
  endReceive(start(), {
    outcome: 'unavailable',
    code: 'QUEUE_UNAVAILABLE',
    summary: { type: undefined, ids: [] }
  })
  endReceive(start(), { outcome: 'refused', code: 'EVENT_TOO_LARGE', reason: 'too large' }, 413)
  t.strictSame(outcomes(), [
    {
      code: UNSET,
      'cloudinary.outcome': 'accepted',
      'cloudinary.event.type': 'upload',
      'cloudinary.event.ids': ['a', 'b'],
      'http.response.status_code': 200
    },
    {
      code: ERROR,
      message: 'not stored',
      'cloudinary.outcome': 'unavailable',
      'http.response.status_code': 503,
      'error.type': 'QUEUE_UNAVAILABLE'
    },
    {
      code: ERROR,
      'cloudinary.outcome': 'unavailable',
      'cloudinary.event.ids': [],
      'error.type': 'QUEUE_UNAVAILABLE'
    },
    {
      code: UNSET,
      'cloudinary.outcome': 'refused',
      'http.response.status_code': 413,
      'error.type': 'EVENT_TOO_LARGE'
    }
  ])
})

t.test('records errors by code, with a short message without secrets', async (t) => {
  const { start, outcomes } = build()
  const long = new ListenerError('JOURNAL_UNAVAILABLE', `Bearer 0123456789abcdef ${'x'.repeat(600)}`)
  const unmet = Object.assign(new Error('unmet'), { name: 'ConditionalCheckFailedException' })
  const rejected = new CloudinaryError('CLOUDINARY_REJECTED', 'no', { kind: 'permanent' }, 400)
  for (const error of [long, rejected, unmet, 'text', undefined]) {
    const span = start()
    failWith(span, error)
    span.end()
  }
  const plain = start()
  fail(plain, 'dead')
  plain.end()
  const message = 'thrown value is not an Error'
  t.strictSame(outcomes(), [
    { code: ERROR, message: `Bearer … ${'x'.repeat(491)}`, 'error.type': 'JOURNAL_UNAVAILABLE' },
    { code: ERROR, message: 'no', 'error.type': 'CLOUDINARY_REJECTED', 'http.response.status_code': 400 },
    { code: UNSET, 'db.response.status_code': 'ConditionalCheckFailedException' },
    { code: ERROR, message, 'error.type': 'string' },
    { code: ERROR, message, 'error.type': 'undefined' },
    { code: ERROR, 'error.type': 'dead' }
  ])
})
