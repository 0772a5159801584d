import { randomBytes } from 'node:crypto'
import { mock } from 'node:test'
import { SQSClient } from '@aws-sdk/client-sqs'
import { type Test, test } from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import { EventSender } from '../../../app/queue/event-sender.ts'
import { decodeMessage, MAX_MESSAGE_BYTES } from '../../../app/queue/message-codec.ts'
import { QUEUE_NAME, startSqs } from '../../../dev/embedded-sqs.ts'
import { cut, failEntries, hold, loseAnswer, refuse, startSqsFake } from '../../support/sqs-fake.ts'
import { memoryTracing } from '../../support/tracing.ts'

const IN_TIME = new AbortController().signal

const event = (id: string, group = `group-${id}`, payload: Record<string, unknown> = {}): AssetEvent => ({
  id,
  type: 'upload',
  notificationType: 'upload',
  environment: 'demo',
  asset: { publicId: group },
  group,
  occurredAt: '2026-01-01T00:00:00.000Z',
  receivedAt: '2026-01-01T00:00:01.000Z',
  origin: { source: null, id: null, own: false },
  payload
})

const events = (count: number, group?: string) =>
  Array.from({ length: count }, (_, index) => event(`e${index}`, group))

/** A sender on an embedded SQS. */
async function onQueue(t: Test) {
  const sqs = await startSqs()
  const client = new SQSClient({
    endpoint: sqs.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' }
  })
  t.teardown(async () => {
    client.destroy()
    await sqs.stop()
  })
  const stored = () => sqs.server.inspectQueue(QUEUE_NAME)?.messages.ready ?? []
  return { sender: new EventSender({ sqs: client, queueUrl: sqs.queueUrl }), stored }
}

/** A sender on a fake SQS whose behaviour the test controls. */
async function onFake(t: Test) {
  const fake = await startSqsFake()
  t.teardown(() => fake.stop())
  const stored = () => fake.messages().map(({ deduplicationId }) => deduplicationId)
  return { sender: new EventSender({ sqs: fake.client, queueUrl: fake.queueUrl }), fake, stored }
}

test('stores an event in the message group of its asset, with its id for deduplication', async (t) => {
  const { sender, stored } = await onQueue(t)
  const sent = event('abc', 'asset-1', { tags: ['é', '\uFFFF'] })
  await sender.store([sent], IN_TIME)
  t.match(stored(), [{ messageGroupId: 'asset-1', messageDeduplicationId: 'abc' }])
  t.strictSame(decodeMessage(stored()[0]?.body ?? ''), sent)
})

test('deduplicates events that are stored again', async (t) => {
  const { sender, stored } = await onQueue(t)
  await sender.store(events(25), IN_TIME)
  await sender.store(events(25), IN_TIME)
  t.equal(stored().length, 25)
})

test('stores a replay of an event that was stored just before', async (t) => {
  const { sender, stored } = await onQueue(t)
  await sender.store([event('abc')], IN_TIME)
  await sender.store([{ ...event('abc'), run: { kind: 'replay', id: 'p1' } }])
  t.match(stored(), [{ messageDeduplicationId: 'abc' }, { messageDeduplicationId: 'abc.p1' }])
})

test('keeps the order of the events of an asset', async (t) => {
  const { sender, stored } = await onQueue(t)
  await sender.store(events(10, 'asset-1'), IN_TIME)
  await sender.store([event('later', 'asset-1')], IN_TIME)
  t.strictSame(
    stored().map(({ messageDeduplicationId }) => messageDeduplicationId),
    [...events(10).map(({ id }) => id), 'later']
  )
})

test('makes no call if there are no events', async (t) => {
  const { sender, fake } = await onFake(t)
  await sender.store([], IN_TIME)
  t.strictSame(fake.calls, [])
})

test('sends 1,000 events in 100 calls', async (t) => {
  const { sender, fake, stored } = await onFake(t)
  await sender.store(events(1000), IN_TIME)
  const calls = fake.inputs('SendMessageBatch').map(({ Entries = [] }) => Entries)
  t.equal(calls.length, 100)
  t.ok(calls.every((entries) => entries.length === 10))
  t.equal(new Set(stored()).size, 1000)
})

test('keeps each call within the size limit of SQS', async (t) => {
  const { sender, fake, stored } = await onFake(t)
  const large = Array.from({ length: 10 }, (_, index) =>
    event(`e${index}`, 'asset-1', { text: 'x'.repeat(200_000) })
  )
  await sender.store(large, IN_TIME)
  const sizes = fake
    .inputs('SendMessageBatch')
    .map(({ Entries = [] }) => Entries.reduce((sum, { MessageBody = '' }) => sum + MessageBody.length, 0))
  t.equal(sizes.length, 2)
  t.ok(sizes.every((size) => size <= MAX_MESSAGE_BYTES))
  t.equal(stored().length, 10)
})

test('throws QUEUE_UNAVAILABLE if SQS stores only some events', async (t) => {
  const { sender, fake, stored } = await onFake(t)
  fake.next(
    'SendMessageBatch',
    failEntries(({ MessageDeduplicationId }) => MessageDeduplicationId === 'e1', 'ServiceUnavailable')
  )
  await t.rejects(sender.store(events(3)), {
    code: 'QUEUE_UNAVAILABLE',
    message: /1 of 3/,
    cause: { code: 'ServiceUnavailable' }
  })
  t.strictSame(stored(), ['e0', 'e2'])
  await sender.store(events(3), IN_TIME)
  t.strictSame(stored().sort(), ['e0', 'e1', 'e2'], 'a retry stores the rest')
})

test('throws QUEUE_UNAVAILABLE if a call fails, while parallel calls succeed', async (t) => {
  const { sender, fake, stored } = await onFake(t)
  fake.next('SendMessageBatch', refuse(503, 'ServiceUnavailable'), cut)
  await t.rejects(sender.store(events(30), IN_TIME), {
    code: 'QUEUE_UNAVAILABLE',
    message: /20 of 30/
  })
  t.equal(stored().length, 10)
})

test('treats an event whose confirmation is lost as not stored, and deduplicates it later', async (t) => {
  const { sender, fake, stored } = await onFake(t)
  fake.next('SendMessageBatch', loseAnswer)
  await t.rejects(sender.store(events(1), IN_TIME), { code: 'QUEUE_UNAVAILABLE' })
  await sender.store(events(1), IN_TIME)
  t.strictSame(stored(), ['e0'])
})

test('rejects an event that is too large before it stores any', async (t) => {
  const { sender, fake } = await onFake(t)
  const tooLarge = event('large', 'asset-1', { noise: randomBytes(1_000_000).toString('hex') })
  await t.rejects(sender.store([event('small'), tooLarge], IN_TIME), { code: 'EVENT_TOO_LARGE' })
  t.strictSame(fake.calls, [])
  t.equal(sender.pendingBytes, 0)
})

test('gives up when the signal aborts while SQS hangs, and drops events that were not sent', async (t) => {
  const { sender, fake, stored } = await onFake(t)
  const call = hold()
  fake.always('SendMessageBatch', call.behaviour)
  const deadline = new AbortController()
  const storing = sender.store(events(1000), deadline.signal)
  await fake.until(() => fake.calls.length === 32)
  const cause = new Error('time is up')
  deadline.abort(cause)
  await t.rejects(storing, {
    code: 'QUEUE_UNAVAILABLE',
    message: /1000 of 1000/,
    cause
  })
  t.ok(sender.pendingBytes > 0, 'events in flight still count')
  call.release()
  await sender.idle()
  t.equal(stored().length, 320, 'events in flight are stored')
  t.equal(fake.calls.length, 32)
  t.equal(sender.pendingBytes, 0)
})

test('times out a call after 8 s', async (t) => {
  const { sender, fake } = await onFake(t)
  const time = new AbortController()
  const timeout = mock.method(AbortSignal, 'timeout', () => time.signal)
  t.teardown(() => timeout.mock.restore())
  const call = hold()
  fake.next('SendMessageBatch', call.behaviour)
  const failed = t.rejects(sender.store(events(1), IN_TIME), { cause: { name: 'AbortError' } })
  await call.arrived
  t.strictSame(timeout.mock.calls[0]?.arguments, [8000])
  time.abort()
  await failed
  await sender.idle()
})

test('sends nothing if the signal has already aborted', async (t) => {
  const { sender, fake } = await onFake(t)
  await t.rejects(sender.store(events(2), AbortSignal.abort()), {
    code: 'QUEUE_UNAVAILABLE',
    message: /2 of 2/
  })
  t.strictSame(fake.calls, [])
})

test('idle resolves when every event is stored or has failed', async (t) => {
  const { sender, fake } = await onFake(t)
  await sender.idle()
  const call = hold()
  fake.next('SendMessageBatch', call.behaviour, refuse())
  const stored = sender.store(events(10), IN_TIME)
  await call.arrived
  const failed = t.rejects(sender.store([event('other')], IN_TIME))
  let idle = false
  const whenIdle = sender.idle().then(() => {
    idle = true
  })
  await failed
  t.notOk(idle)
  t.ok(sender.pendingBytes > 0)
  call.release()
  await whenIdle
  await stored
  t.equal(sender.pendingBytes, 0)
})

test('sends events with the context of their span', async (t) => {
  const fake = await startSqsFake()
  t.teardown(() => fake.stop())
  const { tracing, spans } = memoryTracing()
  const sender = new EventSender({ sqs: fake.client, queueUrl: fake.queueUrl, tracing })
  await sender.store(events(2), IN_TIME)
  t.strictSame(spans, ['send e0,e1'])
  t.strictSame(
    fake.messages().map(({ body }) => decodeMessage(body).traceparent),
    ['of e0', 'of e1']
  )
})
