import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import t from 'tap'
import { startSqs } from '../../dev/embedded-sqs.ts'
import { MESSAGES_QUEUE_NAME, publishedMessages } from '../../dev/sns.ts'

t.test('returns published messages, oldest first', async (t) => {
  const { environment, server, stop, topicArn } = await startSqs()
  t.teardown(stop)
  Object.assign(process.env, environment)
  const client = new SNSClient()
  t.teardown(() => client.destroy())
  t.strictSame(publishedMessages(server), [])
  const attributes = { customer: { DataType: 'String', StringValue: 'acme' } }
  const about = { Subject: 'Größe', MessageAttributes: attributes }
  const { MessageId } = await client.send(
    new PublishCommand({ TopicArn: topicArn, Message: 'first {"a":1}', ...about })
  )
  await client.send(new PublishCommand({ TopicArn: topicArn, Message: 'second' }))
  const [first, second] = publishedMessages(server, MESSAGES_QUEUE_NAME)
  t.match(first, { publishedAt: /^\d{4}-\d\d-\d\dT.*Z$/ })
  t.strictSame(
    { ...first, publishedAt: '' },
    {
      id: MessageId,
      publishedAt: '',
      subject: 'Größe',
      text: 'first {"a":1}',
      attributes: { customer: 'acme' }
    }
  )
  t.match(second, { text: 'second', attributes: {} })
  t.notOk('subject' in second!)
})
