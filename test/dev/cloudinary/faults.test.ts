import t, { type Test } from 'tap'
import { type Fault, parseFault } from '../../../dev/cloudinary/faults.ts'
import { connect, refusal, sdk } from './sdk.ts'

async function start(t: Test, ...faults: Fault[]) {
  const connected = await connect(t)
  for (const fault of faults) connected.standIn.faults.add(fault)
  for (const publicId of ['a', 'b']) connected.standIn.ui().upload({ publicId })
  const tag = (publicId = 'a') => sdk.uploader.add_tag('x', [publicId], connected.own)
  return { ...connected, tag }
}

t.test('a rate limit states when it ends, in both APIs', async (t) => {
  const until = new Date('2024-10-04T14:00:00Z')
  const { tag, own } = await start(
    t,
    { kind: 'rate_limit', until, action: 'tags' },
    { kind: 'rate_limit', until: '2024-10-04T14:00:00Z', status: 429 }
  )
  const message = /Try again on 2024-10-04 14:00:00 UTC$/
  t.match(await refusal(tag()), { message, http_code: 420 })
  t.match(await refusal(sdk.api.resource('a', own)), { message, http_code: 429 })
})

t.test('answers the given number of calls with a status', async (t) => {
  const { standIn, tag } = await start(t, { kind: 'status', status: 500, count: 2 })
  t.match(await refusal(tag()), { message: 'General Error', http_code: 500 })
  t.match(await refusal(tag()), { http_code: 500 })
  t.match(await tag(), { public_ids: ['a'] })
  t.match(standIn.calls, [
    { status: 500, fault: 'status' },
    { status: 500, fault: 'status' },
    { status: 200, fault: null }
  ])
  t.same(standIn.assets.find('a')?.tags, ['x'])
})

t.test('the SDK keeps only the number of an unexpected status', async (t) => {
  const { tag } = await start(t, { kind: 'status', status: 423, message: 'Still processing' })
  t.match(await refusal(tag()), { message: 'Server returned unexpected status code - 423', http_code: 423 })
})

t.test('limits a fault to an action, an asset or a condition', async (t) => {
  const { standIn, tag, own } = await start(t, { kind: 'status', status: 500, action: 'tags', publicId: 'a' })
  t.match(await refusal(tag('a')), { http_code: 500 })
  t.match(await tag('b'), { public_ids: ['b'] })
  t.match(await sdk.api.resource('a', own), { public_id: 'a' })
  standIn.faults.clear()
  t.match(await tag('a'), { public_ids: ['a'] })
  standIn.faults.add({ kind: 'status', status: 502, when: ({ apiKey }) => apiKey === own.api_key })
  t.match(await refusal(tag('a')), { http_code: 502 })
})

t.test('adds latency to another fault', async (t) => {
  const { standIn, tag } = await start(
    t,
    { kind: 'latency', ms: 1 },
    { kind: 'status', status: 500, count: 1 }
  )
  t.match(await refusal(tag()), { http_code: 500 })
  t.match(await tag(), { public_ids: ['a'] })
  t.equal(standIn.calls.at(-1)?.fault, 'latency')
})

t.test('the SDK reports a reset connection as a network error', async (t) => {
  const { standIn, tag } = await start(t, { kind: 'reset' })
  t.match(await refusal(tag()), { message: /ECONNRESET|socket hang up/ })
  t.match(await standIn.called(() => true), { status: null, fault: 'reset' })
  t.same(standIn.assets.find('a')?.tags, [])
})

t.test('a stop releases hanging and delayed calls', async (t) => {
  const { standIn, tag } = await start(t, { kind: 'hang', publicId: 'a' })
  const hanging = refusal(tag('a'))
  await standIn.called(({ publicIds }) => publicIds.includes('a'))
  const injected = Promise.withResolvers<void>()
  const when = () => {
    injected.resolve()
    return true
  }
  standIn.faults.add({ kind: 'latency', ms: 600_000, publicId: 'b', when })
  const late = refusal(tag('b'))
  await injected.promise
  await standIn.stop()
  t.match(await hanging, { message: /ECONNRESET|socket hang up/ })
  t.match(await late, { message: /ECONNRESET|socket hang up/ })
  t.same(standIn.assets.find('b')?.tags, [])
})

t.test('loses an answer after the call took effect', async (t) => {
  const { standIn, tag } = await start(t, { kind: 'reset', after: true, count: 1 })
  t.match(await refusal(tag('a')), { message: /ECONNRESET|socket hang up/ })
  t.same(standIn.assets.find('a')?.tags, ['x'])
  standIn.faults.add({ kind: 'status', status: 500, after: true, count: 1 })
  t.match(await refusal(tag('b')), { message: 'General Error', http_code: 500 })
  t.same(standIn.assets.find('b')?.tags, ['x'])
  t.match(await tag('b'), { public_ids: ['b'] })
})

t.test('parses a fault from JSON or a form', async (t) => {
  t.same(parseFault({ kind: 'status', status: '503', count: '2', after: 'true' }), {
    kind: 'status',
    status: 503,
    count: 2,
    after: true
  })
  t.same(parseFault({ kind: 'latency', ms: 5 }), { kind: 'latency', ms: 5, after: false })
  const until = '2024-10-04T14:00:00Z'
  t.match(parseFault({ kind: 'rate_limit', until }), { until })
  t.match(parseFault({ kind: 'rate_limit', until, status: '429' }), { status: 429 })
  t.match(parseFault({ kind: 'hang' }), { kind: 'hang' })
  t.match(parseFault({ kind: 'reset', after: true }), { after: true })
  const wrong = [
    {},
    { kind: 'nope' },
    { kind: 'latency' },
    { kind: 'status', status: 200 },
    { kind: 'rate_limit' },
    { kind: 'rate_limit', until: 'soon' },
    { kind: 'hang', count: 0 }
  ]
  for (const fault of wrong) t.throws(() => parseFault(fault), { name: 'ApiError', status: 400 })
})
