import { SQSClient } from '@aws-sdk/client-sqs'
import t from 'tap'
import { DeadLetterSender } from '../../../app/queue/dead-letter-sender.ts'
import { DEAD_LETTER_QUEUE_NAME, startSqs } from '../../../dev/embedded-sqs.ts'

async function build(t: { teardown: (end: () => Promise<void>) => void }) {
  const queue = await startSqs()
  const sqs = new SQSClient({
    endpoint: queue.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' }
  })
  t.teardown(async () => {
    sqs.destroy()
    await queue.stop()
  })
  return {
    deadLetters: new DeadLetterSender({ sqs, queueUrl: queue.deadLetterQueueUrl }),
    letters: () => queue.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)!.messages.ready
  }
}

t.test('stores the message with the reason as attributes', async (t) => {
  const { deadLetters, letters } = await build(t)
  await deadLetters.put('one', 'the body', { code: 'CODE', message: 'why', processor: 'tag' })
  await deadLetters.put('two', 'another', { code: 'MESSAGE_UNREADABLE', message: 'why' })
  t.match(letters(), [
    {
      body: 'the body',
      messageGroupId: 'one',
      messageAttributes: {
        code: { StringValue: 'CODE' },
        message: { StringValue: 'why' },
        processor: { StringValue: 'tag' }
      }
    },
    { body: 'another', messageGroupId: 'two' }
  ])
  t.notOk('processor' in letters()[1]!.messageAttributes)
})

t.test('stores the same id once', async (t) => {
  const { deadLetters, letters } = await build(t)
  await deadLetters.put('one', 'the body', { code: 'CODE', message: 'why' })
  await deadLetters.put('one', 'the body', { code: 'CODE', message: 'why' })
  t.equal(letters().length, 1)
})

t.test('replaces the characters that SQS rejects', async (t) => {
  const { deadLetters, letters } = await build(t)
  for (const [index, message] of ['', '\u0000\u001b[31m\uFFFF', 'x'.repeat(300_000), '😀'].entries()) {
    await deadLetters.put(`letter-${index}`, 'b', { code: 'CODE', message })
  }
  await deadLetters.put('letter-code', 'b', { code: '\u0000', message: 'why' })
  t.strictSame(
    letters().map(({ messageAttributes }) => messageAttributes.message?.StringValue),
    ['-', '  [31m ', 'x'.repeat(500), '  ', 'why']
  )
})
