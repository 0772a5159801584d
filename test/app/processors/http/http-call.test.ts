import t, { type Test } from 'tap'
import { callHttp, type HttpCall } from '../../../../app/processors/http/http-call.ts'
import { type Answer, buildReceiver } from '../../../support/receiver.ts'

const NOW = Date.parse('2026-06-01T12:00:00.000Z')

/** Starts a receiver with this response, and posts to it. */
async function build(t: Test, answer: Answer, change: Partial<HttpCall> = {}) {
  const receiver = await buildReceiver(t, answer)
  const url = new URL(`${receiver.url}?key=query-secret`)
  const send = () =>
    callHttp({
      code: 'FORWARD',
      url,
      setting: '`url`',
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

t.test('posts the body and returns the response', async (t) => {
  for (const status of [200, 202, 204]) {
    const { send, requests } = await build(t, { status, headers: { 'x-id': '7' } })
    const { headers, ...answer } = await send()
    t.strictSame([answer, headers.get('x-id')], [{ status, text: '' }, '7'])
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

t.test('sends other methods, without a body', async (t) => {
  const { url, requests } = await buildReceiver(t, { status: 200, body: 'done' })
  const { text } = await callHttp({
    code: 'PUBLISH',
    url: new URL(url),
    setting: '`hook`',
    method: 'GET',
    timeoutSeconds: 60,
    secrets: [],
    signal: new AbortController().signal,
    clock: () => NOW
  })
  t.equal(text, 'done')
  t.match(requests, [{ method: 'GET', body: '' }])
})

t.test('names failures as the caller does', async (t) => {
  const names: Partial<HttpCall> = {
    code: 'CMS',
    remedyFor: () => 'check CMS_TOKEN',
    isTemporary: (status) => status === 401,
    target: 'the CMS'
  }
  const unauthorized = await build(t, 401, names)
  await t.rejects(unauthorized.send(), {
    code: 'CMS_UNAVAILABLE',
    message: 'the CMS answered 401 (check CMS_TOKEN)'
  })
  const down = await build(t, 503, names)
  await t.rejects(down.send(), { name: 'PermanentError', code: 'CMS_REJECTED' })
})

t.test('does not follow redirects', async (t) => {
  const { send } = await build(t, { status: 302, headers: { location: 'http://127.0.0.1:9/token' } })
  await t.rejects(send(), { code: 'FORWARD_REJECTED', message: /answered 302 \(redirects are not followed/ })
})

t.test('retries temporary failures, after Retry-After', async (t) => {
  const { send, address } = await build(t, 503)
  await t.rejects(send(), {
    name: 'ListenerError',
    code: 'FORWARD_UNAVAILABLE',
    message: `${address} answered 503`
  })
  const limited = await build(t, { status: 429, headers: { 'retry-after': '120' } })
  const until = new Date(NOW + 120_000)
  await t.rejects(limited.send(), { name: 'RetryLaterError', code: 'FORWARD_UNAVAILABLE', until })
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
  t.equal((await send()).status, 200)
})

t.test('retries after a time-out', async (t) => {
  const { send, address } = await build(t, 'hang', { timeoutSeconds: 0.05 })
  await t.rejects(send(), {
    name: 'ListenerError',
    code: 'FORWARD_UNAVAILABLE',
    message: `cannot reach ${address} (\`url\`): no response within 0.05 s`
  })
})

t.test('uses the status if the body does not end in time', async (t) => {
  const endless = { status: 200, headers: { 'content-length': '99' }, body: 'o' }
  const { send } = await build(t, endless, { timeoutSeconds: 0.2 })
  t.equal((await send()).status, 200)
})

t.test('retries connection errors, with the reason', async (t) => {
  const cut = await build(t, 'cut')
  await t.rejects(cut.send(), { code: 'FORWARD_UNAVAILABLE', message: /: other side closed$/ })
  const gone = await build(t, 200)
  await gone.close()
  await t.rejects(gone.send(), {
    name: 'ListenerError',
    code: 'FORWARD_UNAVAILABLE',
    message: /^cannot reach http:\/\/127\.0\.0\.1:\d+ \(`url`\): ECONNREFUSED$/
  })
  for (const [cause, why] of [
    [{ message: '', code: 'ECONNREFUSED' }, 'ECONNREFUSED'],
    [undefined, 'fetch failed']
  ] as const) {
    const { send, address } = await build(t, 200)
    t.intercept(globalThis, 'fetch', {
      value: () => Promise.reject(Object.assign(new TypeError('fetch failed'), { cause }))
    })
    await t.rejects(send(), { message: `cannot reach ${address} (\`url\`): ${why}` })
  }
})

t.test('returns a response that the caller asks for', async (t) => {
  const returns = (status: number, text: string) => status === 400 && text === 'expected'
  const expected = await build(t, { status: 400, body: 'expected' }, { returns })
  t.match(await expected.send(), { status: 400, text: 'expected' })
  for (const answer of [{ status: 400, body: 'other' }, 404]) {
    const { send } = await build(t, answer, { returns })
    await t.rejects(send(), { code: 'FORWARD_REJECTED' })
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
