import { CreateQueueCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import t, { type Test } from 'tap'
import { deadLetterQueue, queue } from '../../../../app/commands/doctor/queue-checks.ts'
import { buildQueues, eventOf } from '../../../support/operator.ts'

const signal = new AbortController().signal
const FOURTEEN_DAYS = '1209600'

async function build(t: Test) {
  const queues = await buildQueues(t)
  const { sqs, queue: embedded } = queues
  const deadLetterTargetArn = `arn:aws:sqs:us-east-1:000000000000:${embedded.deadLetterQueueUrl.split('/').at(-1)}`
  return {
    ...queues,
    deadLetterTargetArn,
    deadLetterQueueUrl: embedded.deadLetterQueueUrl,
    create: async (QueueName: string, attributes: Record<string, string>) => {
      const isFifo = QueueName.endsWith('.fifo')
      const Attributes = { ...(isFifo && { FifoQueue: 'true' }), ...attributes }
      await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))
      return `${embedded.url}/000000000000/${QueueName}`
    }
  }
}

t.test('accepts queues that are set up correctly', async (t) => {
  const { sqs, queue: embedded, deadLetterQueueUrl, sender } = await build(t)
  await sender.store([eventOf('one')], signal)
  t.strictSame(await queue({ sqs, queueUrl: embedded.queueUrl, deadLetterQueueUrl }).run(signal), [
    { level: 'ok', message: 'FIFO, kept for 14 days; about 1 event waiting, 0 in flight' }
  ])
  t.strictSame(await deadLetterQueue({ sqs, queueUrl: deadLetterQueueUrl, clock: Date.now }).run(signal), [
    { level: 'ok', message: 'FIFO, kept for 14 days; about 0 dead letters waiting, 0 in flight' }
  ])
})

t.test('warns of dead letters, visible or in flight', async (t) => {
  const { sqs, deadLetterQueueUrl, deadLetter, createReader } = await build(t)
  await deadLetter(eventOf('one'))
  await createReader().receive()
  await deadLetter(eventOf('two'))
  t.match(await deadLetterQueue({ sqs, queueUrl: deadLetterQueueUrl, clock: Date.now }).run(signal), [
    {
      level: 'warning',
      message: /^about 2 dead letters, the oldest seen is 0 minutes old; .*redrive --dry-run/
    }
  ])
})

t.test('states the age of the oldest dead letter, and hides none', async (t) => {
  const { sqs, deadLetterQueueUrl, deadLetter } = await build(t)
  const found = async (elapsedMs: number) => {
    const check = deadLetterQueue({ sqs, queueUrl: deadLetterQueueUrl, clock: () => Date.now() + elapsedMs })
    return (await check.run(signal))[0]?.message
  }
  await deadLetter(eventOf('one'))
  await deadLetter(eventOf('two'))
  t.match(await found(5 * 60_000), 'about 2 dead letters, the oldest seen is 5 minutes old; ')
  t.match(await found(3 * 3_600_000), 'the oldest seen is 3 hours old')
  t.match(await found(72 * 3_600_000), 'the oldest seen is 3 days old')
  const send = sqs.send.bind(sqs)
  t.capture(sqs, 'send', (async (...args: Parameters<typeof send>) => {
    if (args[0] instanceof ReceiveMessageCommand) throw new Error('may not')
    return send(...args)
  }) as never)
  t.match(await found(0), /^about 2 dead letters; /)
})

t.test('reports a maxReceiveCount that dead-letters events that only waited', async (t) => {
  const { sqs, create, deadLetterTargetArn, deadLetterQueueUrl } = await build(t)
  const queueUrl = await create('hasty.fifo', {
    MessageRetentionPeriod: FOURTEEN_DAYS,
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: '5' })
  })
  t.match(await queue({ sqs, queueUrl, deadLetterQueueUrl }).run(signal), [
    { level: 'fault', message: /^maxReceiveCount is 5: / }
  ])
})

t.test('reports a queue that is not FIFO, has short retention and no redrive policy', async (t) => {
  const { sqs, create } = await build(t)
  const queueUrl = await create('plain', {})
  t.match(await queue({ sqs, queueUrl, deadLetterQueueUrl: undefined }).run(signal), [
    { level: 'fault', message: /^not a FIFO queue/ },
    { level: 'warning', message: /^keeps messages for 4 days.*1209600/ },
    { level: 'fault', message: /^no RedrivePolicy/ }
  ])
  t.match(await deadLetterQueue({ sqs, queueUrl, clock: Date.now }).run(signal), [
    { level: 'fault', message: /^not a FIFO queue/ },
    { level: 'warning', message: /^keeps messages for 4 days/ }
  ])
})

t.test('warns of a redrive policy that names another queue', async (t) => {
  const { sqs, create, queue: embedded } = await build(t)
  const deadLetterQueueUrl = await create('other.fifo', {})
  const { queueUrl } = embedded
  t.match(await queue({ sqs, queueUrl, deadLetterQueueUrl }).run(signal), [
    { level: 'warning', message: /DEAD_LETTER_QUEUE_URL is arn:.*:other\.fifo/ }
  ])
  const gone = `${embedded.url}/000000000000/gone.fifo`
  t.match(await queue({ sqs, queueUrl, deadLetterQueueUrl: gone }).run(signal), [{ level: 'ok' }])
})

t.test('reports a queue that cannot be read', async (t) => {
  const { sqs, queue: embedded } = await build(t)
  const queueUrl = `${embedded.url}/000000000000/gone.fifo`
  t.match(await queue({ sqs, queueUrl, deadLetterQueueUrl: undefined }).run(signal), [
    { level: 'fault', message: /correct QUEUE_URL or AWS_REGION/ }
  ])
  t.match(await deadLetterQueue({ sqs, queueUrl, clock: Date.now }).run(signal), [
    { level: 'fault', message: /correct DEAD_LETTER_QUEUE_URL or AWS_REGION/ }
  ])
})

t.test('reports faults if the answer has no attributes', async (t) => {
  const sqs = { send: async () => ({}) } as unknown as SQSClient
  t.match(await queue({ sqs, queueUrl: 'q', deadLetterQueueUrl: undefined }).run(signal), [
    { level: 'fault', message: /not a FIFO/ },
    { level: 'fault', message: /no RedrivePolicy/ }
  ])
})
