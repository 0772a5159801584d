import t, { type Test } from 'tap'
import { post, type Request } from '../../../../app/processors/forward/forward-post.ts'
import { type Answer, buildReceiver } from '../../../support/receiver.ts'

const NOW = Date.parse('2026-06-01T12:00:00.000Z')

/** Starts a receiver with this response, and posts to it. */
async function build(t: Test, answer: Answer, change: Partial<Request> = {}) {
  const receiver = await buildReceiver(t, answer)
  const url = new URL(`${receiver.url}?key=query-secret`)
  const send = () =>
    post({
      url,
      headers: { 'content-type': 'application/json' },
      body: '{"ü":1}',
      timeoutSeconds: 60,
      secrets: ['query-secret'],
      signal: new AbortController().signal,
      clock: () => NOW,
      ...change
    })
  return { ...receiver, address: new URL(receiver.url).origin, send }
}

t.test('posts the body and returns the status', async (t) => {
  for (const status of [200, 202, 204]) {
    const { send, requests } = await build(t, status)
    t.equal(await send(), status)
    t.match(requests, [
      {
        method: 'POST',
        path: '/assets?key=query-secret',
        headers: { 'content-type': 'application/json' },
        body: '{"ü":1}'
      }
    ])
  }
})

t.test('rejects permanently with an excerpt without secrets', async (t) => {
  const body = ` {"error":\n "no such\u0000 query-secret, v1,${'A'.repeat(43)}="}${'x'.repeat(400)}`
  const { send, address } = await build(t, { status: 422, body })
  await t.rejects(send(), {
    name: 'PermanentError',
    code: 'FORWARD_REJECTED',
    message: `${address} answered 422: {"error": "no such [secret], [signature]"}${'x'.repeat(255)}`
  })
})

t.test('suggests a fix for known statuses', async (t) => {
  for (const [status, message] of [
    [302, /answered 302 \(.*`url`/],
    [401, /answered 401 \(.*FORWARD_SECRET\)$/],
    [403, /answered 403 \(.*FORWARD_SECRET/],
    [404, /answered 404$/],
    [410, /answered 410 \(.*remove `forward`/]
  ] as const) {
    const { send } = await build(t, { status, headers: { location: 'http://127.0.0.1:9/token' } })
    await t.rejects(send(), { code: 'FORWARD_REJECTED', message })
  }
})

t.test('retries temporary failures', async (t) => {
  for (const status of [408, 425, 429, 500, 503]) {
    const { send, address } = await build(t, status)
    await t.rejects(send(), {
      name: 'ListenerError',
      code: 'FORWARD_UNAVAILABLE',
      message: `${address} answered ${status}`
    })
  }
})

t.test('honours Retry-After up to a day', async (t) => {
  const day = new Date(NOW + 86_400_000)
  for (const [value, until] of [
    ['120', new Date(NOW + 120_000)],
    ['Mon, 01 Jun 2026 12:05:00 GMT', new Date(NOW + 300_000)],
    ['99999999999999999999', day],
    ['Fri, 01 Jan 2100 00:00:00 GMT', day]
  ] as const) {
    const { send } = await build(t, { status: 503, headers: { 'retry-after': value } })
    await t.rejects(send(), { name: 'RetryLaterError', code: 'FORWARD_UNAVAILABLE', until }, value)
  }
})

t.test('ignores an invalid or past Retry-After', async (t) => {
  for (const value of ['soon', '', '-1', '1e3', '0', 'Nobody knows', 'Mon, 01 Jun 2026 11:00:00 GMT']) {
    const { send } = await build(t, { status: 429, headers: { 'retry-after': value } })
    await t.rejects(send(), { name: 'ListenerError', code: 'FORWARD_UNAVAILABLE' }, value)
  }
})

t.test('limits the excerpt of a long or broken response', async (t) => {
  const long = await build(t, { status: 400, body: 'x'.repeat(1_000_000) })
  await t.rejects(long.send(), { message: `${long.address} answered 400: ${'x'.repeat(300)}` })
  const cut = await build(t, {
    status: 400,
    body: 'because',
    headers: { 'content-length': '99' },
    cutOff: true
  })
  await t.rejects(cut.send(), { code: 'FORWARD_REJECTED', message: /answered 400(?:: because)?$/ })
})

t.test('succeeds even if the response breaks', async (t) => {
  const { send } = await build(t, {
    status: 200,
    body: 'ok',
    headers: { 'content-length': '99' },
    cutOff: true
  })
  t.equal(await send(), 200)
})

t.test('retries after a time-out', async (t) => {
  const { send, address } = await build(t, 'hang', { timeoutSeconds: 0.05 })
  await t.rejects(send(), {
    name: 'ListenerError',
    code: 'FORWARD_UNAVAILABLE',
    message: `cannot reach ${address}: no response within 0.05 s`
  })
})

t.test('uses the status if the body does not end in time', async (t) => {
  const endless = { status: 200, headers: { 'content-length': '99' }, body: 'o' }
  const { send } = await build(t, endless, { timeoutSeconds: 0.2 })
  t.equal(await send(), 200)
})

t.test('retries connection errors, with the reason', async (t) => {
  const cut = await build(t, 'cut')
  await t.rejects(cut.send(), { code: 'FORWARD_UNAVAILABLE', message: /cannot reach \S+: \S/ })
  const gone = await build(t, 200)
  await gone.close()
  await t.rejects(gone.send(), {
    name: 'ListenerError',
    code: 'FORWARD_UNAVAILABLE',
    message: /^cannot reach http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/
  })
  for (const [cause, why] of [
    [{ message: '', code: 'ECONNREFUSED' }, 'ECONNREFUSED'],
    [undefined, 'fetch failed']
  ] as const) {
    const { send, address } = await build(t, 200)
    t.intercept(globalThis, 'fetch', {
      value: () => Promise.reject(Object.assign(new TypeError('fetch failed'), { cause }))
    })
    await t.rejects(send(), { message: `cannot reach ${address}: ${why}` })
  }
})

t.test('aborts the request with the signal', async (t) => {
  const ending = new AbortController()
  const { send, received } = await build(t, 'hang', { signal: ending.signal })
  const sending = send()
  sending.catch(() => {})
  await received(1)
  const reason = new Error('the worker stops')
  ending.abort(reason)
  await t.rejects(sending, reason)
})
