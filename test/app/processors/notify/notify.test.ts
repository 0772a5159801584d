import t, { type Test } from 'tap'
import { readConfig } from '../../../../app/config.ts'
import type { AssetEvent, ProcessorContext } from '../../../../app/listener.ts'
import { type NotifyOptions, notify } from '../../../../app/processors/notify/notify.ts'
import { startSqs } from '../../../../dev/embedded-sqs.ts'
import { publishedMessages } from '../../../../dev/sns.ts'
import { sampleEvent } from '../../../support/events.ts'
import { QUIET } from '../../../support/operator.ts'
import { buildReceiver } from '../../../support/receiver.ts'

const SIGNAL = new AbortController().signal
const XML = { 'content-type': 'text/xml' }
const PUBLISHED =
  '<PublishResponse><PublishResult><MessageId>id-1</MessageId></PublishResult></PublishResponse>'
const OTHER_TOPIC = 'arn:aws:sns:us-east-1:000000000000:others.fifo'
const event = sampleEvent('upload', { publicId: 'bag', variant: 'metadata' })

const sqs = await startSqs()
t.teardown(() => sqs.stop())
Object.assign(process.env, sqs.environment)
const { server } = sqs

/** Starts the processor. */
async function build(t: Test, options: NotifyOptions) {
  const processor = notify(options)
  await processor.start?.({
    config: readConfig([], options.phoneNumber ? {} : { NOTIFY_TOPIC_ARN: sqs.topicArn }),
    log: QUIET
  })
  t.teardown(() => processor.stop?.())
  return async (handled: AssetEvent = event) =>
    processor.handle(handled, { signal: SIGNAL } as ProcessorContext)
}

t.test('handles uploads and requires a topic unless one is given', async (t) => {
  const { name, on, requires, ownChanges } = notify({ text: 'hello' })
  t.strictSame(
    { name, on, requires, ownChanges },
    { name: 'notify', on: ['upload'], requires: ['NOTIFY_TOPIC_ARN'], ownChanges: undefined }
  )
  t.match(notify({ text: 'hello', topicArn: OTHER_TOPIC, name: 'second', on: ['*'] }), {
    name: 'second',
    on: ['*'],
    requires: undefined
  })
  t.equal(notify({ text: 'hello', phoneNumber: '+14155550100' }).requires, undefined)
})

t.test('publishes text rendered from the event', async (t) => {
  const handle = await build(t, {
    subject: 'New: {public_id}',
    text: '{public_id} came to {event.environment}',
    attributes: { customer: '{metadata.cms_id}', sku: '{metadata.sku}' }
  })
  const note = await handle()
  const [message, ...others] = publishedMessages(server)
  t.equal(note, `published to SNS: message ${message?.id}`)
  t.strictSame(
    { ...message, id: '', publishedAt: '' },
    {
      id: '',
      publishedAt: '',
      subject: 'New: bag',
      text: 'bag came to demo',
      attributes: { type: 'upload', environment: 'demo', customer: 'cms-1001' }
    }
  )
  t.strictSame(others, [])
})

t.test('deduplicates in a FIFO topic', async (t) => {
  server.createTopic('others.fifo', { attributes: { FifoTopic: 'true' } })
  server.createQueue('others-messages.fifo', { attributes: { FifoQueue: 'true' } })
  server.subscribe({ topic: 'others.fifo', queue: 'others-messages.fifo' })
  const handle = await build(t, { text: ({ asset }) => `${asset?.publicId}!`, topicArn: OTHER_TOPIC })
  await handle()
  await handle()
  t.match(publishedMessages(server, 'others-messages.fifo'), [{ text: 'bag!' }])
  t.equal(publishedMessages(server, 'others-messages.fifo').length, 1)
  await handle({ ...event, run: { kind: 'replay', id: 'r1' } })
  t.equal(publishedMessages(server, 'others-messages.fifo').length, 2, 'publishes a replay again')
})

t.test('calls a topic in its own region', async (t) => {
  server.createTopic('afar', { region: 'eu-west-1' })
  const handle = await build(t, { text: 'hello', topicArn: 'arn:aws:sns:eu-west-1:000000000000:afar' })
  t.match(await handle(), /^published to SNS: message \S+$/)
})

t.test('dead-letters a topic that does not exist', async (t) => {
  const handle = await build(t, { text: 'hello', topicArn: 'arn:aws:sns:us-east-1:000000000000:nowhere' })
  await t.rejects(handle(), { name: 'PermanentError', code: 'NOTIFY_REJECTED', message: /^SNS: NotFound/ })
})

t.test('sends nothing without text', async (t) => {
  for (const text of ['{metadata.sku}', () => undefined, () => ' \u0000']) {
    const handle = await build(t, { text })
    t.match(await handle(), /^skipped/)
  }
})

t.test('sends a text message', async (t) => {
  const sns = await buildReceiver(t, { status: 200, headers: XML, body: PUBLISHED })
  const { AWS_ENDPOINT_URL_SNS } = process.env
  process.env.AWS_ENDPOINT_URL_SNS = sns.url
  t.teardown(() => Object.assign(process.env, { AWS_ENDPOINT_URL_SNS }))
  for (const phoneNumber of ['+14155550100', () => '+14155550100']) {
    const handle = await build(t, {
      phoneNumber,
      text: '{public_id}',
      attributes: { 'AWS.SNS.SMS.SMSType': 'Transactional' }
    })
    t.equal(await handle(), 'published to SNS: message id-1', 'no phone number in the note')
  }
  const [first, second] = sns.requests.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))
  t.match(first, {
    Action: 'Publish',
    PhoneNumber: '+14155550100',
    Message: 'bag',
    'MessageAttributes.entry.1.Name': 'AWS.SNS.SMS.SMSType',
    'MessageAttributes.entry.1.Value.StringValue': 'Transactional'
  })
  t.strictSame(second, first)
  t.notOk('TopicArn' in first! || 'Subject' in first!)
})

t.test('sends nothing if the function returns no number', async (t) => {
  const handle = await build(t, { phoneNumber: () => undefined, text: 'hello' })
  t.match(await handle(), /^skipped/)
  const wrong = await build(t, { phoneNumber: () => '0170', text: 'hello' })
  await t.rejects(wrong(), { code: 'NOTIFY_REJECTED', message: /`phoneNumber`/ })
})

t.test('accepts a stop before the start', async (t) => {
  t.doesNotThrow(() => notify({ text: 'hello' }).stop?.())
})

t.test('rejects invalid options', async (t) => {
  const refused = (options: object, message: RegExp) =>
    t.throws(() => notify({ text: 'hello', ...options }), { code: 'LISTENER_CONFIG_INVALID', message })
  refused({ text: undefined }, /^notify: text: /)
  refused({ text: '{public_id' }, /^notify: text: /)
  refused({ subject: '{event.name}' }, /^notify: subject: \{event\.name\}: /)
  refused({ on: [] }, /on: /)
  refused({ on: ['uploads'] }, /on\.0: /)
  refused({ topicArn: 'arn:aws:sqs:eu-west-1:000000000000:uploads' }, /topicArn: /)
  refused(
    { phoneNumber: '0170 1234567' },
    /phoneNumber: must be a number such as \+14155550100, or a function/
  )
  refused({ topicArn: OTHER_TOPIC, phoneNumber: '+14155550100' }, /options: .*`topicArn`.*`phoneNumber`/)
  refused({ subject: 'Hi', phoneNumber: '+14155550100' }, /subject: /)
  for (const name of [
    '',
    '.a',
    'a.',
    'a..b',
    'a b',
    'aws.thing',
    'Amazon.thing',
    'AWS.SNS.SMS.MaxPrice',
    'x'.repeat(257)
  ]) {
    refused({ attributes: { [name]: 'x' } }, /attributes: /)
  }
  refused({ attributes: { customer: '{' } }, /attributes\.customer: /)
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`a${index}`, 'x']))
  refused({ attributes: many }, /attributes: at most 8 attributes/)
  refused({ message: 'hello' }, /options: .*message/)
})

t.test('checks the topic, but not a phone number', async (t) => {
  const check = (options: NotifyOptions, NOTIFY_TOPIC_ARN?: string) =>
    notify(options).check?.({ config: readConfig([], { NOTIFY_TOPIC_ARN }), log: QUIET, signal: SIGNAL })
  t.match(await check({ text: 'hello' }, sqs.topicArn), [{ level: 'ok', message: /arn:/ }])
  const topicArn = 'arn:aws:sns:us-east-1:000000000000:nowhere'
  await t.rejects(async () => check({ text: 'hello', topicArn }), { code: 'NOTIFY_REJECTED' })
  t.match(await check({ text: 'hello', phoneNumber: '+14155550100' }), [{ level: 'ok' }])
})
