import { SpanKind } from '@opentelemetry/api'
import t from 'tap'
import { describeArrival, describeEvent } from '../../../app/tracing/span-attributes.ts'
import { sampleEvent } from '../../support/events.ts'

const event = sampleEvent('upload')

t.test('describes an event like its log lines', async (t) => {
  t.strictSame(describeEvent({ ...event, asset: { assetId: 'a1', publicId: 'bag' }, traceId: 'Root=1' }), {
    'cloudinary.event.id': event.id,
    'cloudinary.event.type': 'upload',
    'cloudinary.cloud': 'demo',
    'cloudinary.asset': 'bag',
    'cloudinary.trace_id': 'Root=1',
    'cloudinary.run': undefined
  })
  const run = { kind: 'replay', id: '1' } as const
  t.match(describeEvent({ ...event, asset: { assetId: 'a1' }, run }), {
    'cloudinary.asset': 'a1',
    'cloudinary.run': 'replay'
  })
  t.equal(describeEvent({ ...event, asset: null })['cloudinary.asset'], undefined)
})

t.test('describes how a notification arrived', async (t) => {
  const request = {
    kind: 'request',
    startedAt: 1,
    route: '/a',
    path: '/a/',
    scheme: 'https',
    headers: {}
  } as const
  t.strictSame(describeArrival({ ...request, traceId: undefined }), {
    name: 'POST /a',
    kind: SpanKind.SERVER,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/a',
      'url.path': '/a/',
      'url.scheme': 'https'
    }
  })
  t.match(describeArrival({ ...request, traceId: 'Root=1' }), {
    attributes: { 'cloudinary.trace_id': 'Root=1' }
  })
  t.match(describeArrival({ kind: 'poll', channel: 'orders', startedAt: 1, traceId: 'Poll=1' }), {
    name: 'process orders',
    kind: SpanKind.CONSUMER,
    attributes: { 'messaging.system': 'cloudinary', 'cloudinary.trace_id': 'Poll=1' }
  })
})
