import t, { type Test } from 'tap'
import { Publisher } from '../../../../app/processors/notify/sns-publisher.ts'
import { type Answer, buildReceiver } from '../../../support/receiver.ts'

Object.assign(process.env, {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'me',
  AWS_SECRET_ACCESS_KEY: 'mine',
  AWS_PROFILE: '',
  AWS_CONFIG_FILE: '/nowhere',
  AWS_SHARED_CREDENTIALS_FILE: '/nowhere'
})

const TO_TOPIC = { TopicArn: 'arn:aws:sns:us-east-1:000000000000:uploads', Message: 'hello' }
const TO_PHONE = { PhoneNumber: '+14155550100', Message: 'hello' }
const SIGNAL = new AbortController().signal
const XML = { 'content-type': 'text/xml' }

const failure = (status: number, code: string, message: string): Answer => ({
  status,
  headers: XML,
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
})

/** Returns a publisher, and an SNS server with these responses. */
async function build(t: Test, ...answers: [Answer, ...Answer[]]) {
  const sns = await buildReceiver(t, ...answers)
  process.env.AWS_ENDPOINT_URL_SNS = sns.url
  const publisher = new Publisher()
  t.teardown(() => publisher.close())
  return { ...sns, publisher }
}

t.test('publishes and returns the message id', async (t) => {
  const body = '<PublishResponse><PublishResult><MessageId>id-1</MessageId></PublishResult></PublishResponse>'
  const { publisher, requests } = await build(t, { status: 200, headers: XML, body })
  t.equal(await publisher.publish(TO_TOPIC, SIGNAL), 'id-1')
  t.match(requests, [{ body: /Action=Publish.*TopicArn=.*uploads.*Message=hello|Message=hello.*TopicArn=/ }])
})

t.test('maps rejections to permanent errors', async (t) => {
  for (const [status, code] of [
    [400, 'InvalidParameter'],
    [400, 'ParameterValueInvalid'],
    [400, 'ValidationException'],
    [404, 'NotFound'],
    [400, 'EndpointDisabled'],
    [400, 'OptedOut']
  ] as const) {
    const { publisher, requests } = await build(t, failure(status, code, 'Because'))
    await t.rejects(publisher.publish(TO_TOPIC, SIGNAL), {
      name: 'PermanentError',
      code: 'NOTIFY_REJECTED',
      message: /^SNS: \w+: Because$/
    })
    t.equal(requests.length, 1, code)
  }
})

t.test('retries a missing permission', async (t) => {
  for (const code of ['AuthorizationError', 'InvalidClientTokenId', 'KMSAccessDenied']) {
    const { publisher } = await build(t, failure(403, code, 'No'))
    await t.rejects(publisher.publish(TO_TOPIC, SIGNAL), {
      name: 'ListenerError',
      code: 'NOTIFY_UNAUTHORIZED'
    })
  }
})

t.test('retries temporary failures in the SDK, then in the worker', async (t) => {
  for (const [status, code] of [
    [500, 'InternalError'],
    [503, 'ServiceUnavailable'],
    [429, 'Throttling'],
    [400, 'KMSThrottling'],
    [400, 'KMSDisabled']
  ] as const) {
    const { publisher } = await build(t, failure(status, code, 'Later'))
    await t.rejects(publisher.publish(TO_TOPIC, SIGNAL), {
      name: 'ListenerError',
      code: 'NOTIFY_UNAVAILABLE',
      message: /Later/
    })
  }
  const { publisher, close } = await build(t, 200)
  await close()
  await t.rejects(publisher.publish(TO_TOPIC, SIGNAL), {
    code: 'NOTIFY_UNAVAILABLE',
    message: /^SNS: \w+: .*ECONNREFUSED/
  })
})

t.test('hides phone number and signed request, and limits the length', async (t) => {
  const told = async (said: string) => {
    const { publisher } = await build(t, failure(400, 'InvalidParameter', said))
    const refusal = await publisher.publish(TO_PHONE, SIGNAL).catch((error: Error) => error.message)
    return String(refusal)
  }
  t.equal(
    await told(`${TO_PHONE.PhoneNumber} is no number&#10;x-amz-security-token: secret`),
    'SNS: InvalidParameterException: [phone number] is no number'
  )
  t.equal(await told('x'.repeat(400)), `SNS: InvalidParameterException: ${'x'.repeat(300)}`)
})

t.test('aborts the call with the signal', async (t) => {
  const ending = new AbortController()
  const { publisher, received } = await build(t, 'hang')
  const publishing = publisher.publish(TO_TOPIC, ending.signal)
  publishing.catch(() => {})
  await received(1)
  const reason = new Error('the worker stops')
  ending.abort(reason)
  await t.rejects(publishing, reason)
})

t.test('rejects a missing region at start', async (t) => {
  const { publisher } = await build(t, 200)
  await publisher.checkRegion()
  const { AWS_REGION } = process.env
  delete process.env.AWS_REGION
  t.teardown(() => Object.assign(process.env, { AWS_REGION }))
  const elsewhere = new Publisher('eu-west-1')
  await elsewhere.checkRegion()
  const lost = new Publisher()
  await t.rejects(lost.checkRegion(), { code: 'CONFIG_INVALID', message: /^AWS_REGION is not set; / })
  for (const opened of [elsewhere, lost]) opened.close()
})

t.test('checks a topic, and warns without permission', async (t) => {
  const body =
    '<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes/></GetTopicAttributesResult></GetTopicAttributesResponse>'
  const there = await build(t, { status: 200, headers: XML, body })
  t.match(await there.publisher.checkTopic(TO_TOPIC.TopicArn, SIGNAL), { level: 'ok' })
  t.match(there.requests, [{ body: /Action=GetTopicAttributes/ }])
  const forbidden = await build(t, failure(403, 'AuthorizationError', 'no'))
  t.match(await forbidden.publisher.checkTopic(TO_TOPIC.TopicArn, SIGNAL), {
    level: 'warning',
    message: /allow sns:GetTopicAttributes$/
  })
  const gone = await build(t, failure(404, 'NotFound', 'Topic does not exist'))
  await t.rejects(gone.publisher.checkTopic(TO_TOPIC.TopicArn, SIGNAL), { code: 'NOTIFY_REJECTED' })
})
