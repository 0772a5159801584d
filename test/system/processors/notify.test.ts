import t from 'tap'
import { notify } from '../../../app/listener.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import { publishedMessages } from '../../../dev/sns.ts'
import { buildListener } from '../../support/listener.ts'

const processors = [
  notify({
    subject: 'New: {public_id}',
    text: '{display_name} came to {event.environment}, tagged {tags}',
    attributes: { customer: '{context.custom.customer}' }
  }),
  notify({
    name: 'to-nobody',
    text: '{metadata.cms_id}',
    topicArn: 'arn:aws:sns:us-east-1:000000000000:nowhere'
  })
]
const { cloudinary, sqs, atRest, lines } = await buildListener(t, processors)
const { server } = sqs
server.createQueue('acme')
const FilterPolicy = JSON.stringify({ customer: ['acme'] })
server.subscribe({ topic: 'cloudinary-uploads', queue: 'acme', attributes: { FilterPolicy } })

const upload = (publicId: string, customer: string) =>
  cloudinary.as().upload({ publicId, tags: ['bags', 'new'], context: { customer } })
const texts = (queue?: string) => publishedMessages(server, queue).map(({ text }) => text)

t.test('a subscriber is notified of an upload, without a call to Cloudinary', async (t) => {
  upload('shop/bag', 'acme')
  await atRest()
  t.match(publishedMessages(server), [
    {
      subject: 'New: shop/bag',
      text: 'bag came to demo, tagged bags, new',
      attributes: { type: 'upload', environment: 'demo', customer: 'acme' }
    }
  ])
  t.match(
    lines.filter(({ msg }) => msg === 'event processed'),
    [
      { processor: 'notify', note: `published to SNS: message ${publishedMessages(server)[0]?.id}` },
      { processor: 'to-nobody', note: 'skipped: the text is empty' }
    ]
  )
  t.equal(cloudinary.calls.length, 0)
})

t.test('a subscriber with a filter gets only matching uploads', async (t) => {
  upload('shop/hat', 'other')
  await atRest()
  t.equal(texts().length, 2)
  t.strictSame(texts('acme'), ['bag came to demo, tagged bags, new'])
})

t.test('a duplicate notification is published once', async (t) => {
  for (const { url, body, headers } of [...cloudinary.deliveries]) {
    t.equal((await fetch(url, { method: 'POST', body, headers })).status, 200)
  }
  await atRest()
  t.equal(texts().length, 2)
})

t.test('a message that SNS rejects is dead-lettered, and others are sent', async (t) => {
  cloudinary.as().upload({ publicId: 'article', metadata: { cms_id: 'a-7' } })
  await atRest()
  t.equal(texts().length, 3)
  t.match(server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready, [
    {
      messageAttributes: {
        code: { StringValue: 'NOTIFY_REJECTED' },
        message: { StringValue: /^SNS: NotFound/ },
        processor: { StringValue: 'to-nobody' }
      }
    }
  ])
})
