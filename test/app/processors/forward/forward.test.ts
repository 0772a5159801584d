import { HTTP } from 'cloudevents'
import t, { type Test } from 'tap'
import { readConfig } from '../../../../app/config.ts'
import type { AssetEvent, ProcessorContext } from '../../../../app/listener.ts'
import { type ForwardOptions, forward } from '../../../../app/processors/forward/forward.ts'
import { sampleEvent } from '../../../support/events.ts'
import { QUIET } from '../../../support/operator.ts'
import { type Answer, buildReceiver, FORWARD_SECRET } from '../../../support/receiver.ts'

const SIGNAL = new AbortController().signal
const event = sampleEvent('upload', { publicId: 'bag', variant: 'metadata' })

/** Starts the processor, and a receiver with these responses. */
async function build(
  t: Test,
  {
    options = {},
    answers = [200]
  }: { options?: Partial<ForwardOptions>; answers?: [Answer, ...Answer[]] } = {}
) {
  const receiver = await buildReceiver(t, ...answers)
  const processor = forward({ url: receiver.url, ...options })
  await processor.start?.({ config: readConfig([], { FORWARD_SECRET }), log: QUIET })
  const handle = async (handled: AssetEvent = event) =>
    processor.handle(handled, { signal: SIGNAL } as ProcessorContext)
  return { ...receiver, handle }
}

t.test('handles uploads and requires a secret', async (t) => {
  const url = 'https://example.com/assets'
  const { name, on, requires, ownChanges } = forward({ url })
  t.strictSame(
    { name, on, requires, ownChanges },
    { name: 'forward', on: ['upload'], requires: ['FORWARD_SECRET'], ownChanges: undefined }
  )
  t.match(forward({ url, name: 'to-the-dam', on: ['upload', 'rename'] }), {
    name: 'to-the-dam',
    on: ['upload', 'rename']
  })
})

t.test('sends a signed upload', async (t) => {
  const { handle, url, requests, verified } = await build(t)
  t.equal(await handle(), `sent to ${new URL(url).origin}: 200`)
  t.match(verified(), [
    {
      type: 'upload',
      timestamp: event.occurredAt,
      environment: 'demo',
      data: {
        public_id: 'bag',
        original_filename: 'bag',
        tags: ['bags', 'autumn'],
        context: { custom: { alt: 'A brown leather bag' } },
        metadata: { cms_id: 'cms-1001' }
      }
    }
  ])
  t.match(requests, [
    { headers: { 'content-type': 'application/json', 'user-agent': 'cloudinary-listener' } }
  ])
  t.throws(() => verified(`whsec_${'A'.repeat(32)}`), { name: 'WebhookVerificationError' })
})

t.test('sends the given fields', async (t) => {
  const { handle, verified } = await build(t, { options: { fields: ['public_id', 'metadata.cms_id'] } })
  await handle()
  t.strictSame(verified()[0]?.data, { public_id: 'bag', metadata: { cms_id: 'cms-1001' } })
})

t.test('sends the result of `map`, sync or async', async (t) => {
  for (const map of [
    ({ asset }: AssetEvent) => ({ key: asset?.publicId }),
    async ({ asset }: AssetEvent) => ({ key: asset?.publicId })
  ]) {
    const { handle, verified } = await build(t, { options: { map } })
    await handle()
    t.strictSame(verified(), [{ key: 'bag' }])
  }
})

t.test('sends nothing if `map` returns undefined', async (t) => {
  const { handle, requests } = await build(t, { options: { map: () => undefined } })
  t.match(await handle(), /^skipped/)
  t.equal(requests.length, 0)
})

t.test('fails if `map` throws', async (t) => {
  const failure = new Error('no SKU')
  const map = () => {
    throw failure
  }
  const { handle } = await build(t, { options: { map } })
  await t.rejects(handle(), failure)
})

t.test('repeats id and bytes in a retry', async (t) => {
  const { handle, requests, verified } = await build(t, { answers: [503, 200] })
  await t.rejects(handle(), { code: 'FORWARD_UNAVAILABLE' })
  await handle()
  const [first, second] = requests
  t.equal(first?.headers['webhook-id'], `${event.id}:forward`)
  t.equal(second?.headers['webhook-id'], first?.headers['webhook-id'])
  t.equal(second?.body, first?.body)
  t.equal(verified().length, 2)
})

t.test('has a different id per processor, without full stops', async (t) => {
  const { handle, requests } = await build(t, { options: { name: 'to.the-dam' } })
  await handle()
  t.equal(requests[0]?.headers['webhook-id'], `${event.id}:to~the-dam`)
})

t.test('keeps the id in a redrive, not in a replay', async (t) => {
  const { handle, requests } = await build(t)
  await handle({ ...event, run: { kind: 'redrive', id: 'r1' } })
  await handle({ ...event, run: { kind: 'replay', id: 'r2' } })
  t.strictSame(
    requests.map(({ headers }) => headers['webhook-id']),
    [`${event.id}:forward`, `${event.id}:forward:r2`]
  )
})

t.test('signs the time of the attempt', async (t) => {
  const { url, requests } = await buildReceiver(t, 200)
  const processor = forward({ url }, () => 1_800_000_000_999)
  await processor.start?.({ config: readConfig([], { FORWARD_SECRET }), log: QUIET })
  await processor.handle(event, { signal: SIGNAL } as ProcessorContext)
  t.equal(requests[0]?.headers['webhook-timestamp'], '1800000000')
})

t.test('adds headers and overrides defaults', async (t) => {
  const headers = { Authorization: 'Bearer to-the-dam', 'x-kind': 'to', 'User-Agent': 'ours' }
  const { handle, requests } = await build(t, { options: { headers } })
  await handle()
  const { authorization, 'x-kind': kind, 'user-agent': agent } = requests[0]!.headers
  t.strictSame([authorization, kind, agent], ['Bearer to-the-dam', 'to', 'ours'])
})

t.test('masks headers, URL and secret in errors', async (t) => {
  const quoted = `Bearer to-the-dam; to-the-dam; ${FORWARD_SECRET}; key=and%20short; and short; to`
  const path = 'no /assets/T0%2BCAPABILITY/hook, T0+CAPABILITY, the-fragment'
  const receiver = await buildReceiver(t, { status: 400, body: `${quoted}; ${path}` })
  const processor = forward({
    url: `${receiver.url}/T0%2BCAPABILITY/hook?key=and%20short#the-fragment`,
    headers: { authorization: 'Bearer to-the-dam', 'x-kind': 'to' }
  })
  await processor.start?.({ config: readConfig([], { FORWARD_SECRET }), log: QUIET })
  const handling = async () => processor.handle(event, { signal: SIGNAL } as ProcessorContext)
  await t.rejects(handling(), {
    code: 'FORWARD_REJECTED',
    message: `${new URL(receiver.url).origin} answered 400: [secret]; [secret]; whsec_[secret]; key=[secret]; [secret]; to; no [secret], [secret], [secret]`
  })
})

t.test('suggests a fix for known statuses', async (t) => {
  for (const [status, message] of [
    [401, /answered 401 \(.*FORWARD_SECRET\)$/],
    [403, /answered 403 \(.*FORWARD_SECRET\)$/],
    [404, /answered 404$/],
    [410, /answered 410 \(.*remove `forward`/]
  ] as const) {
    const { handle } = await build(t, { answers: [status] })
    await t.rejects(handle(), { code: 'FORWARD_REJECTED', message })
  }
})

t.test('times out', async (t) => {
  const { handle } = await build(t, { options: { timeoutSeconds: 0.05 }, answers: ['hang'] })
  await t.rejects(handle(), { code: 'FORWARD_UNAVAILABLE', message: /within 0\.05 s$/ })
})

t.test('rejects http to other hosts unless allowed', async (t) => {
  for (const url of [
    'https://a.example',
    'http://localhost:1',
    'http://127.0.0.1',
    'http://127.8.9.1',
    'http://[::1]:80'
  ]) {
    t.doesNotThrow(() => forward({ url }), url)
  }
  for (const url of [
    'http://a.example',
    'http://10.0.0.1',
    'http://localhost.example',
    'http://127.0.0.1.example'
  ]) {
    const refused = { code: 'LISTENER_CONFIG_INVALID', message: /^forward: url: .*https:\/\// }
    t.throws(() => forward({ url }), refused, url)
    t.doesNotThrow(() => forward({ url, allowHttp: true }), url)
  }
})

t.test('rejects invalid options', async (t) => {
  const refused = (options: object, message: RegExp) =>
    t.throws(() => forward({ url: 'https://example.com', ...options }), {
      code: 'LISTENER_CONFIG_INVALID',
      message
    })
  refused({ url: 'example.com' }, /^forward: url: /)
  refused({ url: 'ftp://example.com' }, /^forward: url: /)
  refused({ url: 'https://me:hidden@example.com' }, /^forward: url: [^@]*`headers`[^@]*$/)
  refused({ on: [] }, /on: /)
  refused({ on: ['uploads'] }, /on\.0: /)
  refused({ fields: [] }, /fields: /)
  refused({ fields: ['a..b'] }, /fields\.0: /)
  refused({ fields: ['event.secret'] }, /fields\.0: .*event\.id/)
  refused({ map: {} }, /map: must be a function/)
  refused({ map: () => undefined, fields: ['tags'] }, /options: .*`fields`.*`map`/)
  for (const headers of [{ 'a b': 'c' }, { a: 'b\r\nc: d' }, { 'Webhook-Id': 'a' }, { Host: 'a' }]) {
    refused({ headers }, /headers: /)
  }
  refused({ timeoutSeconds: 0 }, /timeoutSeconds: /)
  refused({ timeoutSeconds: 241 }, /timeoutSeconds: /)
  refused({ uri: 'https://example.com' }, /options: .*uri/)
})

t.test('checks that the receiver is reachable without sending anything', async (t) => {
  const { url, requests } = await buildReceiver(t, 200)
  const config = readConfig([], { FORWARD_SECRET })
  t.strictSame(await forward({ url }).check?.({ config, log: QUIET, signal: SIGNAL }), [
    { level: 'ok', message: `${new URL(url).origin} is reachable` }
  ])
  t.equal(requests.length, 0)
})

t.test('sends CloudEvents in structured mode, signed', async (t) => {
  const format = 'cloudevents'
  const { handle, requests, verified } = await build(t, { options: { format, fields: ['public_id'] } })
  await handle()
  t.match(requests[0]?.headers, { 'content-type': 'application/cloudevents+json', 'webhook-id': /./ })
  t.match(verified(), [{ id: event.id, type: 'com.cloudinary.upload', data: { public_id: 'bag' } }])
  const received = HTTP.toEvent({ headers: requests[0]!.headers as never, body: requests[0]!.body })
  t.match(received, { id: event.id, subject: 'image/upload/bag', source: /\/demo$/ })

  const mapped = await build(t, { options: { format, map: () => ({ sku: '7' }) } })
  await mapped.handle()
  t.match(mapped.verified(), [{ specversion: '1.0', data: { sku: '7' } }])
  const none = await build(t, { options: { format, map: () => undefined } })
  t.match(await none.handle(), /^skipped/)
})
