import { mock } from 'node:test'
import { type Test, test } from 'tap'
import { SqsMessageSource } from '../../../app/queue/sqs-message-source.ts'
import { failEntries, hold, startSqsFake } from '../../support/sqs-fake.ts'

const RECEIVE = { maximumMessages: 10, waitTimeSeconds: 0, visibilityTimeoutSeconds: 60 }

async function build(t: Test) {
  const fake = await startSqsFake()
  t.teardown(() => fake.stop())
  return { fake, source: new SqsMessageSource({ sqs: fake.client, queueUrl: fake.queueUrl }) }
}

test('receives messages with their group and receive count, and hides them', async (t) => {
  const { fake, source } = await build(t)
  fake.put('asset-1', 'a1', 'a2')
  const [first, second] = await source.receive(RECEIVE)
  t.match(first, { message: { body: 'a1', group: 'asset-1', receiveCount: 1 }, receiptHandle: String })
  t.match(second, { message: { body: 'a2' } })
  t.match(fake.messages(), [{ hiddenFor: 60 }, { hiddenFor: 60 }])
  t.strictSame(await source.receive(RECEIVE), [])
})

test('gives each receive an id of its own, so that a retry returns the messages of a lost response', async (t) => {
  const { fake, source } = await build(t)
  await source.receive(RECEIVE)
  await source.receive(RECEIVE)
  const ids = fake.inputs('ReceiveMessage').map((input) => input.ReceiveRequestAttemptId)
  t.match(ids, [String, String])
  t.equal(new Set(ids).size, 2)
})

test('fills in the fields that SQS omits', async (t) => {
  const { fake, source } = await build(t)
  const body = { Messages: [{ MD5OfBody: 'd41d8cd98f00b204e9800998ecf8427e' }] }
  fake.next('ReceiveMessage', async () => ({ status: 200, body }))
  t.strictSame(await source.receive(RECEIVE), [
    { message: { id: '', body: '', group: '', receiveCount: 1 }, receiptHandle: '' }
  ])
})

test('times out a receive 3 s after its wait time', async (t) => {
  const { fake, source } = await build(t)
  const limit = new AbortController()
  const timeout = mock.method(AbortSignal, 'timeout', () => limit.signal)
  t.teardown(() => timeout.mock.restore())
  const silent = hold()
  fake.next('ReceiveMessage', silent.behaviour)
  const failed = t.rejects(source.receive({ ...RECEIVE, waitTimeSeconds: 20 }), { name: 'AbortError' })
  await silent.arrived
  t.strictSame(timeout.mock.calls[0]?.arguments, [23_000])
  limit.abort()
  await failed
})

test('deletes and hides messages in batches, and settles each with its own outcome', async (t) => {
  const { fake, source } = await build(t)
  fake.put('a', 'a1', 'a2')
  fake.put('b', 'b1', 'b2')
  const [a1, a2, b1, b2] = (await source.receive(RECEIVE)).map(({ receiptHandle }) => receiptHandle)
  fake.next(
    'DeleteMessageBatch',
    failEntries(({ ReceiptHandle }) => ReceiptHandle === a2, 'ReceiptHandleIsInvalid')
  )
  const rejected = t.rejects(source.delete(a2!), { code: 'ReceiptHandleIsInvalid' })
  await Promise.all([source.delete(a1!), source.changeVisibility(b1!, 30), source.changeVisibility(b2!, 0)])
  await rejected
  t.match(fake.messages(), [{ body: 'a2' }, { body: 'b1', hiddenFor: 30 }, { body: 'b2', hiddenFor: 0 }])
  t.equal(fake.inputs('DeleteMessageBatch').length, 1)
  t.equal(fake.inputs('ChangeMessageVisibilityBatch').length, 1)
})

test('is idle when no delete and no visibility change is in flight', async (t) => {
  const { fake, source } = await build(t)
  fake.put('a', 'a1')
  fake.put('b', 'b1')
  const [a, b] = await source.receive(RECEIVE)
  const removal = hold()
  const change = hold()
  fake.next('DeleteMessageBatch', removal.behaviour)
  fake.next('ChangeMessageVisibilityBatch', change.behaviour)
  const calls = [source.delete(a!.receiptHandle), source.changeVisibility(b!.receiptHandle, 0)]
  await Promise.all([removal.arrived, change.arrived])
  let isIdle = false
  const idle = source.idle().then(() => {
    isIdle = true
  })
  removal.release()
  await calls[0]
  t.notOk(isIdle)
  change.release()
  await idle
})
