import { SendMessageCommand } from '@aws-sdk/client-sqs'
import t from 'tap'
import { Letters } from '../../../../app/commands/redrive/dead-letter-reader.ts'
import { buildQueues, eventOf, QUIET, REASON } from '../../../support/operator.ts'
import { refuse, startSqsFake } from '../../../support/sqs-fake.ts'

t.test('a letter is an event, the reason, and when it was put aside', async (t) => {
  const { bury, letters } = await buildQueues(t)
  const before = Date.now()
  await bury(eventOf('one'))
  const [letter] = await letters().receive()
  t.match(letter, { event: eventOf('one'), reason: REASON })
  t.ok(letter!.sentAt >= before && letter!.sentAt <= Date.now())
  t.ok(letter!.bytes > 100)
})

t.test('what SQS put aside has no reason, and what is unreadable no event', async (t) => {
  const { sqs, queue, letters, deadLetters } = await buildQueues(t)
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
  t.match(await letters().receive(), [
    { event: { id: 'one' }, reason: undefined },
    { event: undefined, reason: undefined },
    { event: undefined, reason: { code: 'CODE', message: '' } },
    { event: undefined, reason: { code: 'MESSAGE_UNREADABLE', message: 'unreadable' } }
  ])
})

t.test('letters are deleted one by one, and the rest is handed back', async (t) => {
  const { bury, letters, buried } = await buildQueues(t)
  await Promise.all(Array.from({ length: 12 }, (_, index) => bury(eventOf(`e${index}`))))
  const opened = letters()
  const [first] = await opened.receive()
  t.strictSame(buried(), { seen: 2, held: 10 })
  t.equal(await opened.delete(first!), true)
  t.equal(await opened.delete(first!), false, 'it is not held any more')
  t.equal((await opened.receive()).length, 2)
  t.strictSame(await opened.receive(), [])
  await opened.handBack()
  t.strictSame(buried(), { seen: 11, held: 0 })
})

t.test('while it is open, what is held is kept hidden, and what was lost is not seen again', async (t) => {
  const fake = await startSqsFake()
  t.teardown(() => fake.stop())
  let beat = () => {}
  let now = 0
  const letters = new Letters({
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
  const [one] = await letters.receive()
  t.equal(fake.messages()[0]?.hiddenFor, 120)
  fake.advance(40)
  beat()
  await fake.until(() => fake.messages()[0]?.hiddenFor === 120)

  // no heartbeat for too long
  now = 200_000
  fake.advance(120)
  beat()
  t.equal(await letters.delete(one!), false)
  t.strictSame(await letters.receive(), [], 'it comes again, and was seen')
  t.equal(fake.messages()[0]?.hiddenFor, 120)
  await letters.handBack()
  t.equal(fake.messages()[0]?.hiddenFor, 0)
})

t.test('a delete that SQS refuses leaves the letter', async (t) => {
  const fake = await startSqsFake()
  t.teardown(() => fake.stop())
  const letters = new Letters({ sqs: fake.client, queueUrl: fake.queueUrl, log: QUIET })
  fake.put('group', 'one', 'two')
  const [one] = await letters.receive()
  fake.always('DeleteMessageBatch', refuse())
  fake.always('ChangeMessageVisibilityBatch', refuse())
  t.equal(await letters.delete(one!), false)
  await letters.handBack()
  t.equal(fake.messages().length, 2)
})
