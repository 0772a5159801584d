import { ReceiveMessageCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { type Test, test } from 'tap'
import { createSqsClient, messagesIn, probeQueue } from '../../../app/queue/sqs-client.ts'
import { startSqs } from '../../../dev/embedded-sqs.ts'
import { cut, hold, refuse, startSqsFake } from '../../support/sqs-fake.ts'

/** Where the AWS SDK's own variables say SQS is. */
function setEnvironment(t: Test, url: string) {
  const variables = {
    AWS_ENDPOINT_URL_SQS: url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_PROFILE: ''
  }
  const before = { ...process.env }
  Object.assign(process.env, variables)
  t.teardown(() => {
    for (const name of Object.keys(variables)) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })
}

async function onFake(t: Test, requestTimeoutMs = 5000) {
  const fake = await startSqsFake()
  setEnvironment(t, fake.url)
  const sqs = createSqsClient(requestTimeoutMs)
  t.teardown(async () => {
    sqs.destroy()
    await fake.stop()
  })
  return { fake, sqs }
}

test("the client goes where the AWS SDK's own variables say", async (t) => {
  const queue = await startSqs()
  setEnvironment(t, queue.url)
  const sqs = createSqsClient(5000)
  t.teardown(async () => {
    sqs.destroy()
    await queue.stop()
  })
  await probeQueue(sqs, queue.queueUrl)
  await t.rejects(probeQueue(sqs, `${queue.queueUrl}-that-is-not-there`), { name: 'QueueDoesNotExist' })
})

test('all messages are counted, those that are hidden and those that wait behind them too', async (t) => {
  const queue = await startSqs()
  setEnvironment(t, queue.url)
  const sqs = createSqsClient(5000)
  t.teardown(async () => {
    sqs.destroy()
    await queue.stop()
  })
  t.equal(await messagesIn(sqs, queue.queueUrl), 0)
  const Entries = ['a', 'b'].map((Id) => ({
    Id,
    MessageBody: 'one group, so that one waits behind the other',
    MessageGroupId: 'g',
    MessageDeduplicationId: Id
  }))
  await sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.queueUrl, Entries }))
  t.equal(await messagesIn(sqs, queue.queueUrl), 2)
  await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.queueUrl, MaxNumberOfMessages: 1 }))
  t.equal(await messagesIn(sqs, queue.queueUrl), 2)
})

test('messages that are delayed are counted', async (t) => {
  const { fake, sqs } = await onFake(t)
  const Attributes = {
    ApproximateNumberOfMessages: '1',
    ApproximateNumberOfMessagesNotVisible: '20',
    ApproximateNumberOfMessagesDelayed: '300'
  }
  fake.next('GetQueueAttributes', async () => ({ status: 200, body: { Attributes } }))
  t.equal(await messagesIn(sqs, fake.queueUrl), 321)
})

test('a call is tried three times', async (t) => {
  const { fake, sqs } = await onFake(t)
  fake.next('GetQueueAttributes', refuse(500), cut)
  await probeQueue(sqs, fake.queueUrl)
  t.equal(fake.calls.length, 3)
  fake.next('GetQueueAttributes', refuse(500), cut, refuse(503, 'ServiceUnavailable'))
  await t.rejects(probeQueue(sqs, fake.queueUrl), { name: 'ServiceUnavailable' })
  t.equal(fake.calls.length, 6)
})

test('a try that takes too long ends, and the next one may succeed', async (t) => {
  const { fake, sqs } = await onFake(t, 100)
  fake.next('SendMessageBatch', hold().behaviour)
  const Entries = [{ Id: '0', MessageBody: 'a', MessageGroupId: 'g', MessageDeduplicationId: 'a' }]
  const answer = await sqs.send(new SendMessageBatchCommand({ QueueUrl: fake.queueUrl, Entries }))
  t.equal(answer.Successful?.length, 1)
  t.equal(fake.calls.length, 2)
})

test('a call whose every try takes too long fails', async (t) => {
  const { fake, sqs } = await onFake(t, 100)
  fake.always('GetQueueAttributes', hold().behaviour)
  await t.rejects(probeQueue(sqs, fake.queueUrl, 60_000), { name: 'TimeoutError' })
  t.equal(fake.calls.length, 3)
})

test('a probe ends when its time is up', async (t) => {
  const { fake, sqs } = await onFake(t)
  fake.always('GetQueueAttributes', hold().behaviour)
  await t.rejects(probeQueue(sqs, fake.queueUrl, 100), { name: 'AbortError' })
  t.equal(fake.calls.length, 1)
})
