import { SendMessageCommand } from '@aws-sdk/client-sqs'
import t from 'tap'
import { DeadLetterReader } from '../../../app/queue/dead-letter-reader.ts'
import { buildQueues, eventOf, QUIET, REASON } from '../../support/operator.ts'
import { refuse, startSqsFake } from '../../support/sqs-fake.ts'

t.test('returns the event, the reason and the time of a dead letter', async (t) => {
  const { deadLetter, createReader } = await buildQueues(t)
  const before = Date.now()
  await deadLetter(eventOf('one'))
  const [received] = await createReader().receive()
  t.match(received, { event: eventOf('one'), reason: REASON })
  t.ok(received!.sentAt >= before && received!.sentAt <= Date.now())
  t.ok(received!.bytes > 100)
})

t.test('leaves out the reason if SQS moved the message, and the event if it is unreadable', async (t) => {
  const { sqs, queue, createReader, deadLetters } = await buildQueues(t)
  const put = (MessageBody: string, MessageAttributes = {}) =>
    sqs.send(
      new SendMessageCommand({
        MessageAttributes,
        QueueUrl: queue.deadLetterQueueUrl,
        MessageBody,
        MessageGroupId: MessageBody,
        MessageDeduplicationId: MessageBody
      })
    )
  await put(JSON.stringify(eventOf('one')))
  await put('rubbish')
  await put('rubbish too', { code: { DataType: 'String', StringValue: 'CODE' } })
  await deadLetters.put('id', 'more rubbish', { code: 'MESSAGE_UNREADABLE', message: 'unreadable' })
  t.match(await createReader().receive(), [
    { event: { id: 'one' }, reason: undefined },
    { event: undefined, reason: undefined },
    { event: undefined, reason: { code: 'CODE', message: '' } },
    { event: undefined, reason: { code: 'MESSAGE_UNREADABLE', message: 'unreadable' } }
  ])
})

t.test('deletes single dead letters and releases the rest', async (t) => {
  const { deadLetter, createReader, deadLetterCounts } = await buildQueues(t)
  await Promise.all(Array.from({ length: 12 }, (_, index) => deadLetter(eventOf(`e${index}`))))
  const reader = createReader()
  const [first] = await reader.receive()
  t.strictSame(deadLetterCounts(), { visible: 2, inFlight: 10 })
  t.equal(await reader.delete(first!), true)
  t.equal(await reader.delete(first!), false, 'already deleted')
  t.equal((await reader.receive()).length, 2)
  t.strictSame(await reader.receive(), [])
  await reader.release()
  t.strictSame(deadLetterCounts(), { visible: 11, inFlight: 0 })
})

t.test(
  'keeps received messages hidden, and does not return a message again after its lease was lost',
  async (t) => {
    const fake = await startSqsFake()
    t.teardown(() => fake.stop())
    let beat = () => {}
    let now = 0
    const reader = new DeadLetterReader({
      sqs: fake.client,
      queueUrl: fake.queueUrl,
      log: QUIET,
      waitTimeSeconds: 0,
      clock: () => now,
      every: (milliseconds, given) => {
        t.equal(milliseconds, 40_000)
        beat = given
        return () => {}
      }
    })
    fake.put('group', 'one')
    const [one] = await reader.receive()
    t.equal(fake.messages()[0]?.hiddenFor, 120)
    fake.advance(40)
    beat()
    await fake.until(() => fake.messages()[0]?.hiddenFor === 120)

    // the heartbeat is late
    now = 200_000
    fake.advance(120)
    beat()
    t.equal(await reader.delete(one!), false)
    t.strictSame(await reader.receive(), [], 'redelivered, but returned before')
    t.equal(fake.messages()[0]?.hiddenFor, 120)
    await reader.release()
    t.equal(fake.messages()[0]?.hiddenFor, 0)
  }
)

t.test('leaves a message in the queue if SQS refuses to delete it', async (t) => {
  const fake = await startSqsFake()
  t.teardown(() => fake.stop())
  const reader = new DeadLetterReader({ sqs: fake.client, queueUrl: fake.queueUrl, log: QUIET })
  fake.put('group', 'one', 'two')
  const [one] = await reader.receive()
  fake.always('DeleteMessageBatch', refuse())
  fake.always('ChangeMessageVisibilityBatch', refuse())
  t.equal(await reader.delete(one!), false)
  await reader.release()
  t.equal(fake.messages().length, 2)
})
