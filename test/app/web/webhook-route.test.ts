import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { sampleNotification } from '../../../app/testing/samples.ts'
import { BodyBudget } from '../../../app/web/body-budget.ts'
import { createLimits } from '../../../app/web/web-limits.ts'
import { exchange, type HeaderLine, RawConnection, rawRequest } from '../../support/raw-http.ts'
import { memoryTracing } from '../../support/tracing.ts'
import { buildWeb, NOW, signed } from '../../support/web.ts'

const UPLOAD = JSON.stringify(sampleNotification('upload', { now: new Date(NOW) }))

t.test('responds 200 to an authentic notification after storing its events', async (t) => {
  const { post, stored, lines } = await buildWeb(t)
  const answer = await post(UPLOAD, { 'x-amzn-trace-id': 'Root=1-67891233-abcdef012345678912345678' })
  t.equal(answer.statusCode, 200)
  t.strictSame(answer.json(), { accepted: 1 })
  t.match(stored(), [{ type: 'upload', environment: 'demo', traceId: /^Root=1-/ }])
  const accepted = lines.filter(({ msg }) => msg === 'notification accepted')
  t.match(accepted, [
    { outcome: 'accepted', type: 'upload', events: 1, ids: [stored()[0]?.id], traceId: /^Root=1-/ }
  ])
})

t.test('a final slash in the path uses the same route and hooks', async (t) => {
  const { app, stored } = await buildWeb(t)
  const post = (url: string, headers: Record<string, string>, payload = UPLOAD) =>
    app.inject({ method: 'POST', url, payload, headers })
  for (const url of ['/webhooks/cloudinary/', '/webhooks/cloudinary/?source=preset']) {
    t.strictSame((await post(url, signed(UPLOAD))).json(), { accepted: 1 })
    t.equal((await post(url, {})).json().code, 'SIGNATURE_MISSING')
    const large = 'x'.repeat(1024 * 1024 + 1)
    t.equal((await post(url, signed(large), large)).statusCode, 413)
  }
  t.match(stored(), [{ type: 'upload' }])
})

t.test('records the latency of accepted notifications only', async (t) => {
  const { post, counts, durations } = await buildWeb(t)
  await post(UPLOAD)
  await post(UPLOAD, { 'x-cld-signature': undefined })
  t.match(durations, { AckLatency: [Number] })
  t.equal(durations.AckLatency?.length, 1)
  t.strictSame(counts, {
    NotificationsAccepted: 1,
    EventsStored: 1,
    'NotificationsRefused SIGNATURE_MISSING': 1
  })
})

t.test('the log line has no payload and no signature', async (t) => {
  const { post, lines } = await buildWeb(t)
  await post(UPLOAD)
  await post(UPLOAD, { 'x-cld-signature': 'f'.repeat(40) })
  const written = JSON.stringify(lines)
  t.notMatch(written, 'secure_url')
  t.notMatch(written, signed(UPLOAD)['x-cld-signature'])
  t.notMatch(written, 'f'.repeat(40))
})

t.test('splits a bulk notification with 1,000 assets into 1,000 events', async (t) => {
  const { post, stored, lines } = await buildWeb(t, { storeTimeoutMs: 60_000 })
  const answer = await post(JSON.stringify(sampleNotification('resource_tags_changed', { count: 1000 })))
  t.strictSame(answer.json(), { accepted: 1000 })
  t.equal(new Set(stored().map(({ id }) => id)).size, 1000)
  const line = lines.find(({ outcome }) => outcome === 'accepted')
  t.match(line, { events: 1000 })
  t.equal((line as { ids: string[] }).ids.length, 20, 'the line stays short')
})

t.test('accepts a duplicate notification and stores it once', async (t) => {
  const { post, stored } = await buildWeb(t)
  await post(UPLOAD)
  const again = await post(UPLOAD, signed(UPLOAD, 60))
  t.equal(again.statusCode, 200)
  t.equal(stored().length, 1)
})

for (const [name, body] of Object.entries({
  'a body that is not JSON': 'Hello, world',
  'a body that is not text': Buffer.from([0xff, 0xfe, 0x00]),
  'an empty body': '',
  'a type that nobody knows': '{"notification_type":"asset_admired","asset_id":"a"}'
})) {
  t.test(`accepts ${name} as an event of type unknown`, async (t) => {
    const { post, stored } = await buildWeb(t)
    const answer = await post(body, { 'content-type': undefined })
    t.equal(answer.statusCode, 200)
    t.match(stored(), [{ type: 'unknown' }])
  })
}

t.test('accepts any Content-Type', async (t) => {
  const { post } = await buildWeb(t)
  for (const type of [
    '',
    'json',
    'application/',
    'text/plain, application/json',
    '\x80',
    'x'.repeat(10_000)
  ]) {
    t.equal((await post(UPLOAD, { 'content-type': type })).statusCode, 200, type.slice(0, 40))
  }
})

t.test('refuses a notification that is not authentic and stores nothing', async (t) => {
  const { post, stored, lines } = await buildWeb(t)
  const refusals: [string, string, Record<string, string | undefined>][] = [
    ['tampered', 'SIGNATURE_INVALID', signed(`${UPLOAD} `)],
    ['unsigned', 'SIGNATURE_MISSING', { 'x-cld-signature': undefined }],
    ['without a timestamp', 'SIGNATURE_MISSING', { 'x-cld-timestamp': undefined }],
    ['with a timestamp that is not ten digits', 'SIGNATURE_MISSING', { 'x-cld-timestamp': '1e9' }],
    ['stale', 'SIGNATURE_EXPIRED', signed(UPLOAD, -7201)],
    ['from the future', 'SIGNATURE_EXPIRED', signed(UPLOAD, 301)],
    [
      'with a second-generation signature alone',
      'SIGNATURE_MISSING',
      { 'x-cld-signature': undefined, 'x-cld-signature_v2': 'abc' }
    ]
  ]
  for (const [how, code, headers] of refusals) {
    const answer = await post(UPLOAD, headers)
    t.equal(answer.statusCode, 401, how)
    t.strictSame(answer.json(), { code }, how)
  }
  t.strictSame(stored(), [])
  t.equal(lines.filter(({ outcome }) => outcome === 'refused').length, refusals.length)
  t.match(
    lines.findLast(({ outcome }) => outcome === 'refused'),
    { reason: /auth_scheme/ }
  )
})

t.test('checks the headers before it reads the body', async (t) => {
  const { post } = await buildWeb(t, { bodyLimitBytes: 1024 })
  const large = Buffer.alloc(2048)
  t.equal((await post(large, { 'x-cld-signature': undefined })).statusCode, 401)
})

t.test('responds 413 to a body over the limit', async (t) => {
  const { post, stored } = await buildWeb(t, { bodyLimitBytes: 1024 })
  const answer = await post('x'.repeat(1025))
  t.equal(answer.statusCode, 413)
  t.strictSame(answer.json(), { code: 'BODY_TOO_LARGE' })
  t.strictSame(stored(), [])
})

t.test('responds 413 if one event is too large for SQS and stores none', async (t) => {
  const { post, stored, lines } = await buildWeb(t, { bodyLimitBytes: 10 * 1024 * 1024 })
  const noise = Array.from({ length: 3_000_000 }, () => String.fromCharCode(33 + Math.random() * 90)).join('')
  const answer = await post(JSON.stringify({ resources: [{ asset_id: 'a' }, { asset_id: 'b', noise }] }))
  t.equal(answer.statusCode, 413)
  t.strictSame(answer.json(), { code: 'EVENT_TOO_LARGE' })
  t.strictSame(stored(), [])
  t.match(
    lines.find(({ outcome }) => outcome === 'refused'),
    { code: 'EVENT_TOO_LARGE', reason: /bytes/ }
  )
})

t.test('responds 503 with Retry-After without a queue', async (t) => {
  // port 9 (discard) refuses connections
  const { post, lines } = await buildWeb(t, { sqsEndpoint: 'http://127.0.0.1:9' })
  const answer = await post(UPLOAD)
  t.equal(answer.statusCode, 503)
  t.strictSame(answer.json(), { code: 'QUEUE_UNAVAILABLE' })
  t.equal(answer.headers['retry-after'], '30')
  t.match(
    lines.find(({ outcome }) => outcome === 'unavailable'),
    { code: 'QUEUE_UNAVAILABLE', err: { code: 'QUEUE_UNAVAILABLE' } }
  )
})

t.test('responds 503 if the queue times out', async (t) => {
  let aborted = false
  const { post } = await buildWeb(t, {
    storeTimeoutMs: 20,
    sender: {
      pendingBytes: 0,
      store: (_events, signal) =>
        new Promise((_resolve, reject) => {
          signal!.addEventListener('abort', () => {
            aborted = true
            reject(signal!.reason)
          })
        })
    }
  })
  t.equal((await post(UPLOAD)).statusCode, 503)
  t.ok(aborted)
})

t.test('refuses notifications while too many bytes wait for SQS', async (t) => {
  const { post, counts } = await buildWeb(t, {
    sender: { pendingBytes: 65 * 1024 * 1024, store: async () => void t.fail('must not store') }
  })
  const answer = await post(UPLOAD)
  t.equal(answer.statusCode, 503)
  t.strictSame(answer.json(), { code: 'OVERLOADED' })
  t.strictSame(counts, { 'NotificationsUnavailable OVERLOADED': 1 })
})

t.test('refuses notifications while the event loop is delayed', async (t) => {
  const { post, counts } = await buildWeb(t, { limits: { ...createLimits(), eventLoopDelayMs: 1e-6 } })
  // the delay is measured every second
  let answer = await post(UPLOAD)
  while (answer.statusCode === 200) {
    await sleep(20)
    answer = await post(UPLOAD)
  }
  t.equal(answer.statusCode, 503)
  t.strictSame(answer.json(), { code: 'OVERLOADED' })
  t.match(counts, { 'NotificationsUnavailable OVERLOADED': 1 })
})

t.test('responds 503 before the credentials are loaded', async (t) => {
  const { post, lifecycle, counts } = await buildWeb(t)
  lifecycle.state = 'starting'
  const answer = await post(UPLOAD)
  t.equal(answer.statusCode, 503)
  t.strictSame(answer.json(), { code: 'STARTING' })
  t.strictSame(counts, { 'NotificationsUnavailable STARTING': 1 })
})

t.test('accepts notifications while draining', async (t) => {
  const { post, lifecycle } = await buildWeb(t)
  lifecycle.state = 'draining'
  t.equal((await post(UPLOAD)).statusCode, 200)
})

t.test('verifies with a newly rotated key at once', async (t) => {
  let current = [{ cloudName: 'demo', apiKey: '1', apiSecret: 'the-old-secret' }]
  let elapsedMs = 0
  const { post, stored } = await buildWeb(t, {
    source: { read: async () => ({ current, previous: [] }) },
    elapsedMs: () => elapsedMs
  })
  current = [{ cloudName: 'demo', apiKey: '2', apiSecret: LOCAL_CLOUDINARY.apiSecret }]
  t.equal((await post(UPLOAD)).statusCode, 401, 'the secret was read a moment ago')
  elapsedMs = 30_000
  t.equal((await post(UPLOAD)).statusCode, 200)
  t.equal(stored().length, 1)
})

t.test('marks changes made with its own key', async (t) => {
  const { post, stored } = await buildWeb(t)
  await post(JSON.stringify(sampleNotification('resource_tags_changed', { apiKey: '111111111111111' })))
  await post(JSON.stringify(sampleNotification('resource_tags_changed', { apiKey: '222222222222222' })))
  t.strictSame(
    stored().map(({ origin }) => (origin as { own: boolean }).own),
    [true, false]
  )
})

const MIB = 2 ** 20

/** Limits for receiving two large bodies and storing one. */
const tightLimits = () => ({
  ...createLimits(),
  reading: new BodyBudget({ small: 200_000, large: 2.5 * MIB }),
  storing: new BodyBudget({ small: 200_000, large: 1.5 * MIB })
})

async function listen(t: Test, overrides: Parameters<typeof buildWeb>[1] = {}) {
  const limits = tightLimits()
  const web = await buildWeb(t, { limits, ...overrides })
  await web.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = web.app.server.address() as AddressInfo
  /** Sends the headers of a notification and the given part of its body. */
  const begin = async (lines: HeaderLine[], body: string | Buffer = '') => {
    const connection = await RawConnection.open({ port })
    t.teardown(() => connection.destroy())
    connection.write(rawRequest({ headers: [['Host', 'localhost'], ...lines], body }))
    return connection
  }
  /** Resolves when nothing is reserved. */
  const nothingHeld = async () => {
    while (limits.reading.used + limits.storing.used > 0) await sleep(5)
  }
  const held = async () => {
    while (limits.reading.used === 0) await new Promise(setImmediate)
  }
  return { ...web, limits, port, begin, held, nothingHeld }
}

const LARGE: HeaderLine = ['Content-Length', String(MIB)]
const forged: HeaderLine[] = Object.entries({ ...signed('{}'), 'x-cld-signature': '0'.repeat(40) })

t.test('unsigned large bodies do not block small or large ones for long', async (t) => {
  const { begin, post, lines, counts, limits, nothingHeld } = await listen(t)
  const chunked: HeaderLine = ['Transfer-Encoding', 'chunked']
  const first = await begin([LARGE, ...forged])
  // its length is not stated
  const second = await begin([chunked, ...forged])
  while (limits.reading.used < 2 * MIB) await sleep(5)
  for (const length of [LARGE, chunked]) {
    t.strictSame(await answered(await begin([length, ...forged])), [503])
  }
  t.match(
    lines.filter(({ outcome }) => outcome === 'unavailable'),
    [{ code: 'OVERLOADED' }, { code: 'OVERLOADED' }]
  )
  t.match(counts, { 'NotificationsUnavailable OVERLOADED': 2 })
  t.equal((await post(UPLOAD)).statusCode, 200, 'a small one is accepted meanwhile')
  for (const connection of [first, second]) connection.destroy()
  await nothingHeld()
  t.equal((await post(Buffer.alloc(MIB, ' '))).statusCode, 200, 'and a large one after it')
})

t.test('releases the reservation of a body however its request ends', async (t) => {
  const small: HeaderLine = ['Content-Length', '2']
  const authentic = Object.entries(signed('{}'))
  const endings: Record<string, (web: Awaited<ReturnType<typeof listen>>) => Promise<readonly number[]>> = {
    accepted: async ({ begin }) => answered(await begin([small, ...authentic], '{}')),
    'not authentic': async ({ begin }) => answered(await begin([small, ...forged], '{}')),
    'without a body': async ({ begin }) => answered(await begin(forged)),
    'larger than it said': async ({ port }) => {
      const over = `${(MIB + 1).toString(16)}\r\n${'x'.repeat(MIB + 1)}\r\n0\r\n\r\n`
      const headers: HeaderLine[] = [['Host', 'localhost'], ['Transfer-Encoding', 'chunked'], ...forged]
      return exchange(rawRequest({ headers, body: over }), { port })
    },
    'gone in the middle': async ({ begin, held }) => {
      const connection = await begin([small, ...forged], '{')
      await held()
      connection.destroy()
      return []
    },
    'too slow': async ({ app, begin, held }) => {
      app.server.requestTimeout = 1
      const connection = await begin([small, ...forged], '{')
      await held()
      return answered(connection)
    }
  }
  const expected: Record<string, number[]> = {
    accepted: [200],
    'not authentic': [401],
    'without a body': [401],
    'larger than it said': [413],
    'gone in the middle': [],
    'too slow': [408]
  }
  const web = await listen(t)
  for (const [name, end] of Object.entries(endings)) {
    t.strictSame(await end(web), expected[name], name)
    await web.nothingHeld()
  }
})

async function answered(connection: RawConnection): Promise<readonly number[]> {
  await connection.answers(1)
  return connection.statuses
}

t.test('limits bodies being stored, and releases them on failure or disconnect', async (t) => {
  const [storing, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { begin, post, counts, limits, nothingHeld } = await listen(t, {
    sender: {
      pendingBytes: 0,
      store: async () => {
        storing.resolve()
        await answer.promise
      }
    }
  })
  const large = Buffer.alloc(MIB, ' ')
  const gone = await begin([LARGE, ...Object.entries(signed(large))], large)
  await storing.promise
  t.equal(limits.reading.used, 0)
  t.ok(limits.storing.used > MIB)
  const refused = await post(large)
  t.equal(refused.statusCode, 503)
  t.strictSame(refused.json(), { code: 'OVERLOADED' })
  t.strictSame(counts, { 'NotificationsUnavailable OVERLOADED': 1 })
  const small = post(UPLOAD)
  gone.destroy()
  await new Promise(setImmediate)
  t.ok(limits.storing.used > MIB, 'it is held as long as it is in use')
  answer.reject(new Error('SQS is down'))
  t.equal((await small).statusCode, 503)
  await nothingHeld()
  t.equal((await post(large)).statusCode, 503)
  await nothingHeld()
})

t.test('reports that the task must be replaced after refusing all requests for a minute', async (t) => {
  let [now, pendingBytes] = [NOW, 65 * MIB]
  const { app, post } = await buildWeb(t, {
    clock: () => now,
    sender: {
      get pendingBytes() {
        return pendingBytes
      },
      store: async () => Promise.reject(new Error('SQS is down'))
    }
  })
  const health = async () => (await app.inject('/health')).statusCode
  const refuseForAMinute = async () => {
    for (let second = 0; second < 60; second += 20) {
      await post(UPLOAD)
      t.equal(await health(), 200, `after ${second} s`)
      now += 20_000
    }
    await post(UPLOAD)
  }
  await refuseForAMinute()
  t.equal(await health(), 503)
  pendingBytes = 0
  t.equal((await post(UPLOAD)).statusCode, 503)
  t.equal(await health(), 200, 'an outage of the queue does not count as refusing')
  await post(UPLOAD, { 'x-cld-signature': '0'.repeat(40) })
  pendingBytes = 65 * MIB
  await refuseForAMinute()
  t.equal(await health(), 503, 'since then')
})

t.test('limits the log lines of a sender', async (t) => {
  const { post, lines, counts } = await buildWeb(t)
  for (let sent = 0; sent < 150; sent++) await post(UPLOAD, { 'x-cld-signature': '0'.repeat(40) })
  await post(UPLOAD)
  t.equal(lines.filter(({ outcome }) => outcome === 'refused').length, 100)
  t.equal(lines.filter(({ outcome }) => outcome === 'accepted').length, 1)
  t.match(counts, { 'NotificationsRefused SIGNATURE_INVALID': 150 })
})

t.test('an authentic notification has a span that ends with the response', async (t) => {
  const { tracing, spans } = memoryTracing()
  const { app, post } = await buildWeb(t, { tracing })
  await post(UPLOAD, { 'x-cld-signature': 'f'.repeat(40) })
  const headers = { ...signed(UPLOAD), 'x-forwarded-proto': 'https' }
  await app.inject({ method: 'POST', url: '/webhooks/cloudinary/?a=b', payload: UPLOAD, headers })
  t.strictSame(spans, [
    'end refused SIGNATURE_INVALID 401',
    'https /webhooks/cloudinary/ in demo',
    'end accepted 200'
  ])
})
