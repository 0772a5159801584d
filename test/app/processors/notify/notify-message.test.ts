import t from 'tap'
import { publication, textMessage } from '../../../../app/processors/notify/notify-message.ts'
import { sampleEvent } from '../../../support/events.ts'

const TOPIC = 'arn:aws:sns:us-east-1:000000000000:uploads'
const event = sampleEvent('upload', { publicId: 'bag', variant: 'metadata' })
const text = (StringValue: string) => ({ DataType: 'String', StringValue })

t.test('builds a message with attributes for a topic', async (t) => {
  t.strictSame(publication(event, 'hello', { topicArn: TOPIC, name: 'notify', attributes: {} }), {
    TopicArn: TOPIC,
    Message: 'hello',
    MessageAttributes: { type: text('upload'), environment: text('demo') }
  })
})

t.test('leaves out an empty subject', async (t) => {
  const options = { topicArn: TOPIC, name: 'notify', attributes: {} }
  t.equal(publication(event, 'hello', { ...options, subject: () => 'Hi\nthere' }).Subject, 'Hi there')
  for (const subject of [() => '', () => undefined]) {
    t.notOk('Subject' in publication(event, 'hello', { ...options, subject }))
  }
})

t.test('adds attributes and leaves out empty ones', async (t) => {
  const attributes = { customer: () => 'a\u0000cme', sku: () => '', none: () => undefined, type: () => 'new' }
  t.strictSame(
    publication(event, 'hello', { topicArn: TOPIC, name: 'notify', attributes }).MessageAttributes,
    {
      type: text('new'),
      environment: text('demo'),
      customer: text('acme')
    }
  )
})

t.test('cuts text to the limit, including attributes', async (t) => {
  const input = publication(event, 'ü'.repeat(200_000), {
    topicArn: TOPIC,
    name: 'notify',
    attributes: { customer: () => 'x'.repeat(1000) }
  })
  const attributes = Object.entries(input.MessageAttributes ?? {})
  const taken = attributes
    .map(([name, { DataType, StringValue }]) => `${name}${DataType}${StringValue}`)
    .join('')
  const bytes = Buffer.byteLength(input.Message ?? '') + Buffer.byteLength(taken)
  t.ok(bytes <= 262_144 && bytes > 262_140, String(bytes))
})

t.test('groups and deduplicates messages of a FIFO topic', async (t) => {
  const options = { topicArn: `${TOPIC}.fifo`, name: 'to.all', attributes: {} }
  t.match(publication(event, 'hello', options), {
    MessageGroupId: event.group,
    MessageDeduplicationId: `${event.id}:to~all`
  })
  t.match(publication({ ...event, run: { kind: 'replay', id: 'r1' } }, 'hello', options), {
    MessageDeduplicationId: `${event.id}:to~all:r1`
  })
})

t.test('builds a text message with only the given attributes', async (t) => {
  const attributes = { 'AWS.SNS.SMS.SenderID': () => 'Bags' }
  t.strictSame(textMessage(event, 'hello', { to: '+14155550100', attributes }), {
    PhoneNumber: '+14155550100',
    Message: 'hello',
    MessageAttributes: { 'AWS.SNS.SMS.SenderID': text('Bags') }
  })
  t.equal(textMessage(event, 'x'.repeat(2000), { to: '+14155550100', attributes }).Message?.length, 1600)
})

t.test('rejects an invalid phone number without repeating it', async (t) => {
  for (const to of [
    '0170 1234567',
    '14155550100',
    '+0123456789',
    '+1415',
    '+1415555010012345',
    '+1415 555'
  ]) {
    t.throws(() => textMessage(event, 'hello', { to, attributes: {} }), {
      name: 'PermanentError',
      code: 'NOTIFY_REJECTED',
      message: /`phoneNumber`/
    })
  }
})
