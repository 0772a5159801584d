import t from 'tap'
import { basic, bearer, buildActivity, PASSWORD, TOKEN } from '../../support/activity.ts'

const EVENTS = '/api/activity/events'

t.test('every path but two needs the right password', async (t) => {
  const { app } = await buildActivity(t)
  for (const url of ['/activity', EVENTS, '/api/activity/openapi.json', '/nowhere', '/', '/health/more']) {
    const answer = await app.inject(url)
    t.equal(answer.statusCode, 401, url)
    t.match(answer.headers['www-authenticate'], /^Basic realm="activity"/)
    // a page for people, JSON for programs
    t.match(answer.body, /PASSWORD_MISSING/)
  }
  for (const url of ['/health', '/ready', '/health/']) t.equal((await app.inject(url)).statusCode, 200, url)
})

t.test('a wrong password, user name or header is refused, and logged without it', async (t) => {
  const { app, lines } = await buildActivity(t)
  for (const headers of [
    basic('wrong password'),
    basic(PASSWORD, 'admin'),
    basic(''),
    basic(`${PASSWORD} `),
    { authorization: 'Basic !' },
    { authorization: 'Digest username="listener"' }
  ]) {
    const answer = await app.inject({ url: EVENTS, headers })
    t.equal(answer.statusCode, 401)
    t.match(answer.headers['www-authenticate'], /^Basic /)
  }
  t.match(lines[0], { msg: 'login refused', code: 'PASSWORD_WRONG', ip: '127.0.0.1' })
  t.equal(lines.length, 6)
  t.notMatch(JSON.stringify(lines), 'wrong password')
  t.equal((await app.inject({ url: EVENTS, headers: basic() })).statusCode, 200)
})

t.test('an address that sends wrong passwords has to wait, others do not', async (t) => {
  const { app } = await buildActivity(t)
  const from = (address: string, headers: Record<string, string>) =>
    app.inject({ url: EVENTS, headers: { ...headers, 'x-forwarded-for': address } })
  for (let attempt = 0; attempt < 10; attempt++) {
    t.equal((await from('203.0.113.1', attempt % 2 ? basic('wrong') : bearer('wrong'))).statusCode, 401)
  }
  const refused = await from('203.0.113.1', basic())
  t.equal(refused.statusCode, 429)
  t.match(refused.json(), { code: 'TOO_MANY_LOGINS' })
  t.ok(Number(refused.headers['retry-after']) > 0)
  t.equal((await from('203.0.113.2', basic())).statusCode, 200)
  t.equal((await from('203.0.113.1', {})).statusCode, 401, 'to ask for the password is no attempt')
})

t.test('right passwords are not counted', async (t) => {
  const { app } = await buildActivity(t)
  for (let request = 0; request < 30; request++) {
    t.equal((await app.inject({ url: EVENTS, headers: basic() })).statusCode, 200)
  }
})

t.test('a token gives access only to the list and the stream', async (t) => {
  const { app } = await buildActivity(t)
  const ask = (url: string, method: 'GET' | 'POST' = 'GET', token = TOKEN) =>
    app.inject({ url, method, headers: bearer(token), payloadAsStream: true })
  t.equal((await ask(EVENTS)).statusCode, 200)
  t.equal((await ask(EVENTS, 'GET', 'another-token-of-the-site')).statusCode, 200)
  const stream = await ask('/api/activity/stream')
  t.equal(stream.statusCode, 200)
  stream.stream().destroy()
  for (const [url, method] of [
    [`${EVENTS}/event-1`, 'GET'],
    ['/api/activity/openapi.json', 'GET'],
    ['/activity', 'GET'],
    ['/nowhere', 'GET'],
    ['/api/activity/replays', 'POST'],
    ['/api/activity/replays/run1', 'GET'],
    ['/api/activity/replays/run1/abort', 'POST']
  ] as const) {
    const answer = await app.inject({ url, method, headers: bearer() })
    t.equal(answer.statusCode, 403, url)
    t.match(answer.body, /TOKEN_READ_ONLY/)
  }
  const wrong = await app.inject({ url: EVENTS, headers: bearer('not-one-of-the-tokens') })
  t.equal(wrong.statusCode, 401)
  t.match(wrong.json(), { code: 'TOKEN_INVALID' })
  t.match(wrong.headers['www-authenticate'], /^Bearer /)
})

t.test('every token is refused if none is configured', async (t) => {
  const { app } = await buildActivity(t, { readTokens: [] })
  t.equal((await app.inject({ url: EVENTS, headers: bearer() })).statusCode, 401)
  t.equal((await app.inject({ url: EVENTS, headers: { authorization: 'Bearer ' } })).statusCode, 401)
})

t.test('a request from another origin cannot change data', async (t) => {
  const { request, sent } = await buildActivity(t)
  const post = (headers: Record<string, string>) =>
    request({ method: 'POST', url: '/api/activity/replays', headers, payload: { filter: {} } })
  const refused = await post({ origin: 'https://evil.example' })
  t.equal(refused.statusCode, 403)
  t.match(refused.json(), { code: 'CROSS_ORIGIN_REFUSED' })
  t.strictSame(sent, [])
  t.equal((await post({ 'sec-fetch-site': 'same-origin' })).statusCode, 202)
  const read = await request({ url: EVENTS, headers: { 'sec-fetch-site': 'cross-site' } })
  t.equal(read.statusCode, 200, 'reading is for the browser to refuse')
})
