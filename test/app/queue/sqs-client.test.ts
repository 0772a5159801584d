import { ReceiveMessageCommand, SendMessageBatchCommand } from '@aws-sdk/client-sqs'
import { type Test, test } from 'tap'
import { createSqsClient, messagesIn, probeQueue } from '../../../app/queue/sqs-client.ts'
import { startSqs } from '../../../dev/sqs.ts'
import { cut, hold, refuse, startSqsFake } from '../../support/sqs-fake.ts'

/** Points the AWS SDK to an SQS with its own variables. */
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

test("the client uses the AWS SDK's own variables", async (t) => {
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

test('counts visible and hidden messages, and those that wait behind another one of their group', async (t) => {
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

test('counts delayed messages', async (t) => {
  const { fake, sqs } = await onFake(t)
  const Attributes = {
    ApproximateNumberOfMessages: '1',
    ApproximateNumberOfMessagesNotVisible: '20',
    ApproximateNumberOfMessagesDelayed: '300'
  }
  fake.next('GetQueueAttributes', async () => ({ status: 200, body: { Attributes } }))
  t.equal(await messagesIn(sqs, fake.queueUrl), 321)
})

test('attempts a call three times', async (t) => {
  const { fake, sqs } = await onFake(t)
  fake.next('GetQueueAttributes', refuse(500), cut)
  await probeQueue(sqs, fake.queueUrl)
  t.equal(fake.calls.length, 3)
  fake.next('GetQueueAttributes', refuse(500), cut, refuse(503, 'ServiceUnavailable'))
  await t.rejects(probeQueue(sqs, fake.queueUrl), { name: 'ServiceUnavailable' })
  t.equal(fake.calls.length, 6)
})

test('times out an attempt and retries', async (t) => {
  const { fake, sqs } = await onFake(t, 100)
  fake.next('SendMessageBatch', hold().behaviour)
  const Entries = [{ Id: '0', MessageBody: 'a', MessageGroupId: 'g', MessageDeduplicationId: 'a' }]
  const answer = await sqs.send(new SendMessageBatchCommand({ QueueUrl: fake.queueUrl, Entries }))
  t.equal(answer.Successful?.length, 1)
  t.equal(fake.calls.length, 2)
})

test('fails a call whose attempts all time out', async (t) => {
  const { fake, sqs } = await onFake(t, 100)
  fake.always('GetQueueAttributes', hold().behaviour)
  await t.rejects(probeQueue(sqs, fake.queueUrl, 60_000), { name: 'TimeoutError' })
  t.equal(fake.calls.length, 3)
})

test('times out a probe', async (t) => {
  const { fake, sqs } = await onFake(t)
  fake.always('GetQueueAttributes', hold().behaviour)
  await t.rejects(probeQueue(sqs, fake.queueUrl, 100), { name: 'AbortError' })
  t.equal(fake.calls.length, 1)
})
