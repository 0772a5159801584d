import t from 'tap'
import { LOCAL_CLOUDINARY } from '../../../dev/defaults.ts'
import { sampleNotification } from '../../../dev/samples.ts'
import { buildWeb, NOW, signed } from '../../support/web.ts'

const UPLOAD = JSON.stringify(sampleNotification('upload', { now: new Date(NOW) }))

t.test('an authentic notification is answered 200 once its events are in the queue', async (t) => {
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

t.test('how long an accepted notification took is noted, and no other', async (t) => {
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

t.test('the log line of a notification holds neither its payload nor its signature', async (t) => {
  const { post, lines } = await buildWeb(t)
  await post(UPLOAD)
  await post(UPLOAD, { 'x-cld-signature': 'f'.repeat(40) })
  const written = JSON.stringify(lines)
  t.notMatch(written, 'secure_url')
  t.notMatch(written, signed(UPLOAD)['x-cld-signature'])
  t.notMatch(written, 'f'.repeat(40))
})

t.test('a bulk notification about 1,000 assets becomes 1,000 events', async (t) => {
  const { post, stored, lines } = await buildWeb(t)
  const answer = await post(JSON.stringify(sampleNotification('resource_tags_changed', { count: 1000 })))
  t.strictSame(answer.json(), { accepted: 1000 })
  t.equal(new Set(stored().map(({ id }) => id)).size, 1000)
  const line = lines.find(({ outcome }) => outcome === 'accepted')
  t.match(line, { events: 1000 })
  t.equal((line as { ids: string[] }).ids.length, 20, 'the line stays short')
})

t.test('the same notification sent again is accepted and stored once', async (t) => {
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
  t.test(`${name} is accepted when it is authentic, as an event of type unknown`, async (t) => {
    const { post, stored } = await buildWeb(t)
    const answer = await post(body, { 'content-type': undefined })
    t.equal(answer.statusCode, 200)
    t.match(stored(), [{ type: 'unknown' }])
  })
}

t.test('an authentic notification is accepted whatever its Content-Type says', async (t) => {
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

t.test('a notification that is not authentic is refused with its code, and stored nowhere', async (t) => {
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

t.test('headers are judged before the body is read', async (t) => {
  const { post } = await buildWeb(t, { bodyLimitBytes: 1024 })
  const large = Buffer.alloc(2048)
  t.equal((await post(large, { 'x-cld-signature': undefined })).statusCode, 401)
})

t.test('a body over the limit is answered 413', async (t) => {
  const { post, stored } = await buildWeb(t, { bodyLimitBytes: 1024 })
  const answer = await post('x'.repeat(1025))
  t.equal(answer.statusCode, 413)
  t.strictSame(answer.json(), { code: 'BODY_TOO_LARGE' })
  t.strictSame(stored(), [])
})

t.test(
  'an event that SQS cannot take even compressed is answered 413, and none of its kin is stored',
  async (t) => {
    const { post, stored, lines } = await buildWeb(t, { bodyLimitBytes: 10 * 1024 * 1024 })
    const noise = Array.from({ length: 3_000_000 }, () => String.fromCharCode(33 + Math.random() * 90)).join(
      ''
    )
    const answer = await post(JSON.stringify({ resources: [{ asset_id: 'a' }, { asset_id: 'b', noise }] }))
    t.equal(answer.statusCode, 413)
    t.strictSame(answer.json(), { code: 'EVENT_TOO_LARGE' })
    t.strictSame(stored(), [])
    t.match(
      lines.find(({ outcome }) => outcome === 'refused'),
      { code: 'EVENT_TOO_LARGE', reason: /bytes/ }
    )
  }
)

t.test('without a queue it answers 503 with Retry-After, and stores nothing', async (t) => {
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

t.test('a queue that does not answer in time is a 503', async (t) => {
  let aborted = false
  const { post } = await buildWeb(t, {
    storeTimeoutMs: 20,
    outbox: {
      pendingBytes: 0,
      store: (_events, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true
            reject(signal.reason)
          })
        })
    }
  })
  t.equal((await post(UPLOAD)).statusCode, 503)
  t.ok(aborted)
})

t.test('while too much waits for SQS, notifications are refused before they are read', async (t) => {
  const { post, counts } = await buildWeb(t, {
    outbox: { pendingBytes: 65 * 1024 * 1024, store: async () => void t.fail('must not store') }
  })
  const answer = await post(UPLOAD)
  t.equal(answer.statusCode, 503)
  t.strictSame(answer.json(), { code: 'OVERLOADED' })
  t.strictSame(counts, { 'NotificationsUnavailable OVERLOADED': 1 })
})

t.test(
  'while memory is short, notifications are refused; the process still says that it lives',
  async (t) => {
    const { app, post, counts } = await buildWeb(t, { maximumRssBytes: 1 })
    // the memory in use is measured every second
    let answer = await post(UPLOAD)
    while (answer.statusCode === 200) answer = await post(UPLOAD)
    t.equal(answer.statusCode, 503)
    t.strictSame(answer.json(), { code: 'OVERLOADED' })
    t.equal((await app.inject('/health')).statusCode, 200)
    t.match(counts, { 'NotificationsUnavailable OVERLOADED': 1 })
  }
)

t.test('before the secret is read, notifications are answered 503', async (t) => {
  const { post, lifecycle, counts } = await buildWeb(t)
  lifecycle.state = 'starting'
  const answer = await post(UPLOAD)
  t.equal(answer.statusCode, 503)
  t.strictSame(answer.json(), { code: 'STARTING' })
  t.strictSame(counts, { 'NotificationsUnavailable STARTING': 1 })
})

t.test('while draining it still takes what reaches it', async (t) => {
  const { post, lifecycle } = await buildWeb(t)
  lifecycle.state = 'draining'
  t.equal((await post(UPLOAD)).statusCode, 200)
})

t.test('a key that was rotated in since the last read verifies at once', async (t) => {
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

t.test('changes made with our own key are marked as our own', async (t) => {
  const { post, stored } = await buildWeb(t)
  await post(JSON.stringify(sampleNotification('resource_tags_changed', { apiKey: '111111111111111' })))
  await post(JSON.stringify(sampleNotification('resource_tags_changed', { apiKey: '222222222222222' })))
  t.strictSame(
    stored().map(({ origin }) => (origin as { own: boolean }).own),
    [true, false]
  )
})
