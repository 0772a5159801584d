import t, { type Test } from 'tap'
import { PermanentError } from '../../../app/errors.ts'
import { helloWorldTag } from '../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { sampleNotification } from '../../../app/testing/samples.ts'
import { signatureHeaders } from '../../../app/testing/sign.ts'
import { type Collector, type ReceivedSpan, startCollector } from '../../support/collector.ts'
import { runHere } from '../../support/commands.ts'
import { buildListener } from '../../support/listener.ts'

const TRACE_ID = '67891233abcdef012345678912345678'
const XRAY = 'Root=1-67891233-abcdef012345678912345678'

/** The spans below each other, as lines: indentation, kind and name. */
function treeOf(spans: readonly ReceivedSpan[], parent = '', indent = ''): string[] {
  return spans
    .filter(({ parentSpanId }) => parentSpanId === parent)
    .flatMap(({ kind, name, spanId }) => [
      `${indent}${kind} ${name}`,
      ...treeOf(spans, spanId, `${indent}  `)
    ])
}

async function build(t: Test, environment: Record<string, string> = {}) {
  const collector = await startCollector()
  t.teardown(() => collector.stop())
  const listener = await buildListener(
    t,
    [
      helloWorldTag(),
      {
        name: 'fails',
        on: ['delete'],
        handle: () => {
          throw new PermanentError('cannot call https://hooks.example.com/secret-path?token=abc123')
        }
      }
    ],
    { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...environment } }
  )
  t.teardown(() => {
    for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name]
  })
  return { collector, ...listener }
}

/** Repeats a request while `web` is overloaded, as on a busy machine. */
async function post(url: string, body: string, headers: Record<string, string> = {}): Promise<number> {
  const signature = signatureHeaders(body, LOCAL_CLOUDINARY, Math.floor(Date.now() / 1000))
  const response = await fetch(url, { method: 'POST', body, headers: { ...signature, ...headers } })
  await response.arrayBuffer()
  return response.status === 503 ? post(url, body, headers) : response.status
}

const named = ({ spans }: Pick<Collector, 'spans'>, name: string) => spans.find((span) => span.name === name)!

t.test('one trace shows the way from the webhook to the tag', async (t) => {
  const { collector, cloudinary, webhookUrl, atRest, stopRoles, environment } = await build(t)
  cloudinary.setNotificationUrl(undefined)
  const asset = cloudinary.as().upload({ publicId: 'bag' })
  const body = JSON.stringify(sampleNotification('upload', { publicId: 'bag' }))
  t.ok(asset)
  t.equal(await post(webhookUrl, '{}', { 'x-cld-signature': 'f'.repeat(40) }), 401)
  t.equal(await post(webhookUrl, body, { 'x-amzn-trace-id': XRAY }), 200)
  await atRest()
  await stopRoles()
  t.strictSame(cloudinary.assets.find('bag')?.tags, ['Hello World!'])

  t.match(collector.requests[0], { method: 'POST', path: '/v1/traces', type: 'application/x-protobuf' })
  const spans = collector.spans.filter(({ traceId }) => traceId === TRACE_ID)
  t.equal(spans.length, collector.spans.length, 'nothing but the authentic notification is traced')
  const table = environment.JOURNAL_TABLE!
  const queue = environment.QUEUE_URL!.replace(/^.*\//, '')
  t.strictSame(treeOf(spans), [
    'SERVER POST /webhooks/cloudinary',
    `  PRODUCER send ${queue}`,
    `    CONSUMER process ${queue}`,
    `      CLIENT UpdateItem ${table}`,
    '      INTERNAL processor hello-world-tag',
    '        CLIENT cloudinary add tag',
    `      CLIENT UpdateItem ${table}`
  ])
  const server = named(collector, 'POST /webhooks/cloudinary')
  const { 'cloudinary.event.ids': ids, ...attributes } = server.attributes as Record<string, unknown>
  t.strictSame(attributes, {
    'http.request.method': 'POST',
    'http.route': '/webhooks/cloudinary',
    'url.path': '/webhooks/cloudinary',
    'url.scheme': 'http',
    'http.response.status_code': 200,
    'cloudinary.trace_id': XRAY,
    'cloudinary.cloud': LOCAL_CLOUDINARY.cloudName,
    'cloudinary.event.type': 'upload',
    'cloudinary.outcome': 'accepted'
  })
  const event = {
    'cloudinary.event.id': (ids as string[])[0],
    'cloudinary.event.type': 'upload',
    'cloudinary.cloud': LOCAL_CLOUDINARY.cloudName,
    'cloudinary.asset': 'bag',
    'cloudinary.trace_id': XRAY
  }
  const messaging = (operation: string) => ({
    'messaging.system': 'aws_sqs',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    'messaging.destination.name': queue,
    'aws.sqs.queue.url': environment.QUEUE_URL
  })
  t.strictSame(named(collector, `send ${queue}`).attributes, { ...messaging('send'), ...event })
  const process = named(collector, `process ${queue}`)
  t.match(process.attributes, {
    ...messaging('process'),
    ...event,
    'messaging.message.id': /^[\w-]{36}$/,
    'messaging.message.body.size': Number,
    'cloudinary.receive_count': 1,
    'cloudinary.outcome': 'processed'
  })
  t.strictSame(named(collector, 'processor hello-world-tag').attributes, {
    'cloudinary.processor': 'hello-world-tag'
  })
  t.strictSame(named(collector, 'cloudinary add tag').attributes, {
    'server.address': '127.0.0.1',
    'cloudinary.call': 'add tag',
    'cloudinary.cloud': LOCAL_CLOUDINARY.cloudName
  })
  t.strictSame(named(collector, `UpdateItem ${table}`).attributes, {
    'db.system.name': 'aws.dynamodb',
    'db.operation.name': 'UpdateItem',
    'db.collection.name': table
  })
  t.match(server.resource, {
    'service.name': 'cloudinary-listener-web',
    'service.namespace': 'cloudinary-listener'
  })
  t.equal(process.resource['service.name'], 'cloudinary-listener-worker')
  t.ok(spans.every(({ status }) => status.code !== 2))
  t.ok(spans.every(({ milliseconds }) => milliseconds >= 0 && milliseconds < 60_000))
})

t.test('a failed event has its code and no secret; a replay is a new trace with a link', async (t) => {
  const parent = '00f067aa0ba902b7'
  const { collector, cloudinary, webhookUrl, logged, atRest, stopRoles, environment } = await build(t, {
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer 1234',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    POLL_CHANNEL: 'orders'
  })
  cloudinary.setNotificationUrl(undefined)
  const body = JSON.stringify(sampleNotification('delete'))
  const traceparent = `00-4bf92f3577b34da6a3ce929d0e0e4736-${parent}-01`
  t.equal(await post(webhookUrl, body, { traceparent, 'x-amzn-trace-id': XRAY }), 200)
  const { eventId } = await logged(({ msg }) => msg === 'event dead-lettered')
  await atRest()
  t.equal((await runHere('replay', String(eventId))).exitCode, 0)
  await atRest()

  const folder = Buffer.from(JSON.stringify(sampleNotification('create_folder')))
  const headers = signatureHeaders(String(folder), LOCAL_CLOUDINARY, Math.floor(Date.now() / 1000))
  const [signature, timestamp] = [headers['x-cld-signature'], headers['x-cld-timestamp']]
  cloudinary.cloud().channels.push('orders', { body: folder, signature, timestamp })
  await logged(({ role, msg }) => role === 'worker' && msg === 'event ignored')
  await atRest()
  await stopRoles()

  const queue = environment.QUEUE_URL!.replace(/^.*\//, '')
  const [first, again] = collector.spans.filter(({ name }) => name === `process ${queue}`)
  const server = named(collector, 'POST /webhooks/cloudinary')
  t.match(server, { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentSpanId: parent })
  t.match(first, {
    traceId: server.traceId,
    status: { code: 2 },
    attributes: { 'error.type': 'dead', 'cloudinary.outcome': 'dead' }
  })
  t.match(named(collector, 'processor fails'), {
    status: { code: 2, message: 'cannot call https://hooks.example.com/…' },
    attributes: { 'error.type': 'PERMANENT' }
  })
  const send = collector.spans.find(({ links }) => links.length > 0)!
  t.match(send, {
    name: `send ${queue}`,
    kind: 'PRODUCER',
    parentSpanId: '',
    links: [{ traceId: server.traceId, spanId: first!.parentSpanId }],
    resource: { 'service.name': 'cloudinary-listener-replay' }
  })
  t.match(again, {
    traceId: send.traceId,
    parentSpanId: send.spanId,
    attributes: { 'cloudinary.run': 'replay' }
  })
  t.not(send.traceId, server.traceId)

  const polled = named(collector, 'process orders')
  t.match(polled, {
    kind: 'CONSUMER',
    parentSpanId: '',
    attributes: {
      'messaging.system': 'cloudinary',
      'messaging.destination.name': 'orders',
      'cloudinary.trace_id': /^Poll=/,
      'cloudinary.outcome': 'accepted'
    },
    resource: { 'service.name': 'cloudinary-listener-poll', 'deployment.environment.name': 'test' }
  })
  t.strictSame(
    treeOf(collector.spans.filter(({ traceId }) => traceId === polled.traceId)).map((line) => line.trim()),
    [
      'CONSUMER process orders',
      `PRODUCER send ${queue}`,
      `CONSUMER process ${queue}`,
      `CLIENT UpdateItem ${environment.JOURNAL_TABLE}`
    ]
  )
  t.ok(collector.requests.every(({ authorization }) => authorization === 'Bearer 1234'))
  const text = JSON.stringify(collector.spans)
  t.notMatch(text, /secret-path|abc123|Bearer/)
  t.notOk(text.includes(LOCAL_CLOUDINARY.apiSecret))
})
