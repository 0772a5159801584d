import t from 'tap'
import { MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import { ListenerError } from '../../../app/errors.ts'
import { bearer, buildActivity, SITE } from '../../support/activity.ts'

const EVENTS = '/api/activity/events'

t.test('health and readiness need no password', async (t) => {
  const { app, lifecycle } = await buildActivity(t)
  t.strictSame((await app.inject('/health')).json(), { status: 'alive' })
  t.strictSame((await app.inject('/ready')).json(), { status: 'ready' })
  lifecycle.state = 'draining'
  const answer = await app.inject('/ready')
  t.equal(answer.statusCode, 503)
  t.strictSame(answer.json(), { status: 'draining' })
  t.equal((await app.inject('/health')).statusCode, 200)
})

t.test('an unknown path is a 404 with a code', async (t) => {
  const { get } = await buildActivity(t)
  const answer = await get('/api/activity/nowhere')
  t.equal(answer.statusCode, 404)
  t.match(answer.json(), { code: 'NOT_FOUND' })
})

t.test('no response lets a browser run foreign code', async (t) => {
  const { get } = await buildActivity(t)
  for (const url of ['/nowhere', EVENTS, '/activity']) {
    const { headers } = await get(url)
    const policy = String(headers['content-security-policy'])
    t.match(policy, "default-src 'none'")
    t.notMatch(policy, 'unsafe-inline')
    t.match(headers, { 'x-content-type-options': 'nosniff', 'referrer-policy': 'same-origin' })
  }
  t.match((await get(EVENTS)).headers, { 'cache-control': 'no-store' })
})

t.test('an unavailable journal is a 503, and an unexpected error is a 500 without details', async (t) => {
  const store = new MemoryActivityStore()
  let error: Error = new ListenerError('JOURNAL_UNAVAILABLE', 'DynamoDB …')
  store.list = async () => {
    throw error
  }
  const { get, lines } = await buildActivity(t, { store })
  const unavailable = await get(EVENTS)
  t.equal(unavailable.statusCode, 503)
  t.equal(unavailable.headers['retry-after'], '5')
  t.match(unavailable.json(), { code: 'JOURNAL_UNAVAILABLE' })
  error = new Error('the details')
  const failed = await get(EVENTS)
  t.equal(failed.statusCode, 500)
  t.match(failed.json(), { code: 'INTERNAL' })
  t.notMatch(failed.body, 'the details')
  t.match(lines, [
    { msg: 'request not served', code: 'JOURNAL_UNAVAILABLE' },
    { msg: 'request failed', err: { message: 'the details' } }
  ])
})

t.test('a body that is too large or not JSON is refused', async (t) => {
  const { request } = await buildActivity(t)
  const post = (payload: string) =>
    request({
      method: 'POST',
      url: '/api/activity/replays',
      payload,
      headers: { 'content-type': 'application/json' }
    })
  t.equal((await post('{')).statusCode, 400)
  t.equal((await post(JSON.stringify({ ids: ['x'.repeat(300_000)] }))).statusCode, 413)
})

const preflight = {
  'access-control-request-method': 'GET',
  'access-control-request-headers': 'authorization'
}

t.test('an allowed origin may read the feed, with a preflight that needs no password', async (t) => {
  const { app } = await buildActivity(t)
  for (const url of [EVENTS, '/api/activity/stream', `${EVENTS}?limit=1`]) {
    const { statusCode, headers } = await app.inject({
      method: 'OPTIONS',
      url,
      headers: { origin: SITE, ...preflight }
    })
    t.equal(statusCode, 204)
    t.match(headers, {
      'access-control-allow-origin': SITE,
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': /Authorization/
    })
    t.notOk('access-control-allow-credentials' in headers, 'a browser sends no password along')
  }
  const { headers } = await app.inject({ url: EVENTS, headers: { origin: SITE, ...bearer() } })
  t.match(headers, { 'access-control-allow-origin': SITE, vary: /Origin/ })
})

t.test('other origins and other paths are refused', async (t) => {
  const { app } = await buildActivity(t)
  for (const [url, origin] of [
    [EVENTS, 'https://evil.example'],
    [EVENTS, `${SITE}.evil.example`],
    [EVENTS, 'null'],
    [`${EVENTS}/event-1`, SITE],
    ['/api/activity/replays', SITE],
    ['/activity', SITE]
  ] as const) {
    const answer = await app.inject({ method: 'OPTIONS', url, headers: { origin, ...preflight } })
    t.equal(answer.statusCode, 401, `${url} ${origin}`)
    t.notOk('access-control-allow-origin' in answer.headers)
    const read = await app.inject({ url, headers: { origin, ...bearer() } })
    t.notOk('access-control-allow-origin' in read.headers)
  }
})

t.test('closing ends the streams', async (t) => {
  const { app, get } = await buildActivity(t)
  const { statusCode } = await get('/health')
  t.equal(statusCode, 200)
  const answer = await app.inject({ url: '/api/activity/stream', headers: bearer(), payloadAsStream: true })
  const ended = new Promise((resolve) => answer.stream().resume().once('end', resolve))
  await app.close()
  await ended
  t.notOk(app.server.listening)
})
