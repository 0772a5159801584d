import t, { type Test } from 'tap'
import { CloudFront, fitPaths } from '../../../../app/processors/publish/cloud-front.ts'
import { type Answer, buildReceiver } from '../../../support/receiver.ts'

const NOW = Date.parse('2026-06-01T12:00:00.000Z')
const SIGNAL = new AbortController().signal
const XML = { 'content-type': 'text/xml' }
const xml = (status: number, body: string) => ({ status, headers: XML, body: `<?xml version="1.0"?>${body}` })
const CREATED = xml(201, '<Invalidation><Id>I1</Id><Status>InProgress</Status></Invalidation>')
const refusal = (status: number, code: string, message = 'no') =>
  xml(
    status,
    `<ErrorResponse><Error><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`
  )

Object.assign(process.env, {
  AWS_REGION: 'eu-west-1',
  AWS_ACCESS_KEY_ID: 'AKIALOCAL',
  AWS_SECRET_ACCESS_KEY: 'a-secret-of-aws'
})

/** The client, on a server with these answers. */
async function build(t: Test, ...answers: [Answer, ...Answer[]]) {
  const receiver = await buildReceiver(t, ...answers)
  process.env.AWS_ENDPOINT_URL_CLOUDFRONT = receiver.url
  const distribution = await CloudFront.create('E123ABC', () => NOW)
  t.teardown(() => distribution.close())
  const invalidate = (paths = ['/a', '/b/*'], signal = SIGNAL) =>
    distribution.invalidate(paths, { signal, reference: 'r1' })
  return { ...receiver, distribution, invalidate }
}

t.test('creates an invalidation whose repetition is the same', async (t) => {
  const { invalidate, requests } = await build(t, CREATED)
  t.equal(await invalidate(), 'I1')
  await invalidate()
  t.match(requests, [{ method: 'POST', path: /\/distribution\/E123ABC\/invalidation$/ }, {}])
  const [first, second] = requests
  t.match(first?.body, /<CallerReference>r1<\/CallerReference>/)
  t.match(first?.body, /<Quantity>2<\/Quantity>/)
  t.match(first?.body, /<Path>\/a<\/Path><Path>\/b\/\*<\/Path>/)
  t.equal(second?.body, first?.body)
})

t.test('leaves out paths that a wildcard includes', async (t) => {
  t.strictSame(fitPaths(['/a', '/shop/*', '/shop/bag', '/shop/hats/*', '/shops']), [
    '/a',
    '/shop/*',
    '/shops'
  ])
  t.strictSame(fitPaths(['/*', '/a', '/b/*']), ['/*'])
  t.strictSame(fitPaths([]), [])
})

t.test('invalidates everything rather than exceed the limits', async (t) => {
  const list = (count: number, end = '') => Array.from({ length: count }, (_, index) => `/${index}/${end}`)
  t.equal(fitPaths(list(5, '*')).length, 5)
  t.strictSame(fitPaths(list(6, '*')), ['/*'])
  t.equal(fitPaths(list(1000)).length, 1000)
  t.strictSame(fitPaths(list(1001)), ['/*'])
})

t.test('waits while too many invalidations are in progress', async (t) => {
  const { invalidate } = await build(t, refusal(400, 'TooManyInvalidationsInProgress'))
  await t.rejects(invalidate(), {
    name: 'RetryLaterError',
    code: 'PUBLISH_UNAVAILABLE',
    until: new Date(NOW + 60_000)
  })
})

t.test('maps other errors', async (t) => {
  for (const [answer, code, message] of [
    [refusal(404, 'NoSuchDistribution'), 'PUBLISH_REJECTED', /^CloudFront: NoSuchDistribution: no$/],
    [refusal(400, 'InvalidArgument', 'a\nsigned request'), 'PUBLISH_REJECTED', /: a$/],
    [refusal(403, 'AccessDenied'), 'PUBLISH_UNAUTHORIZED', /AccessDenied/],
    [refusal(500, 'InternalError'), 'PUBLISH_UNAVAILABLE', /InternalError/],
    ['cut', 'PUBLISH_UNAVAILABLE', /^CloudFront: /]
  ] as const) {
    const { invalidate } = await build(t, answer)
    await t.rejects(invalidate(), { code, message }, code)
  }
})

t.test('stops with the signal', async (t) => {
  const { invalidate, distribution } = await build(t, CREATED)
  const reason = new Error('the worker stops')
  await t.rejects(invalidate(['/a'], AbortSignal.abort(reason)), reason)
  await t.rejects(distribution.check(AbortSignal.abort(reason)), reason)
})

t.test('checks that the distribution exists', async (t) => {
  const found = await build(
    t,
    xml(200, '<Distribution><Id>E123ABC</Id><Status>Deployed</Status></Distribution>')
  )
  t.match(await found.distribution.check(SIGNAL), { level: 'ok', message: /E123ABC exists \(Deployed\)/ })
  t.match(found.requests, [{ method: 'GET', path: /\/distribution\/E123ABC$/ }])
  const refused = await build(t, refusal(403, 'AccessDenied'))
  t.match(await refused.distribution.check(SIGNAL), {
    level: 'warning',
    message: /allow cloudfront:GetDistribution$/
  })
  const missing = await build(t, refusal(404, 'NoSuchDistribution'))
  await t.rejects(missing.distribution.check(SIGNAL), { code: 'PUBLISH_REJECTED' })
})
