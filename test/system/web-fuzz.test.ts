import { readFileSync } from 'node:fs'
import { platform } from 'node:process'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import type { AssetEvent } from '../../app/ingest/event.ts'
import { toEvents } from '../../app/ingest/notification.ts'
import { decodeMessage } from '../../app/queue/message-codec.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { sampleNotification } from '../../app/testing/samples.ts'
import { signatureHeaders } from '../../app/testing/sign.ts'
import { QUEUE_NAME, startSqs } from '../../dev/embedded-sqs.ts'
import { exchange, type HeaderLine, RawConnection, type RawRequest, rawRequest } from '../support/raw-http.ts'
import { runRole } from '../support/role.ts'
import { forgeries } from './corpus/forgeries.ts'
import { HOSTILE_BODIES, MANY_ASSETS } from './corpus/hostile-bodies.ts'
import { MALFORMED_REQUESTS } from './corpus/malformed-requests.ts'

const BODY_LIMIT = 1024 * 1024

const { cloudName, apiKey, apiSecret } = LOCAL_CLOUDINARY

const queue = await startSqs()
t.teardown(() => queue.stop())
const web = runRole(t, ['web'], {
  PORT: '0',
  HOST: '127.0.0.1',
  BODY_LIMIT_BYTES: String(BODY_LIMIT),
  CLOUDINARY_URL: `cloudinary://${apiKey}:${apiSecret}@${cloudName}`,
  QUEUE_URL: queue.queueUrl,
  ...queue.environment
})
const { url } = await web.line('web is ready')
const port = Number(new URL(String(url)).port)
const pid = web.child.pid

/** Events that the test signed, by id. Nothing else may end up in the queue. */
const authentic = new Map<string, AssetEvent>()

const now = () => Math.floor(Date.now() / 1000)

/** Signs a body, records its events as authentic, and returns the header lines. */
function sign(body: string | Buffer): HeaderLine[] {
  const signedAt = now()
  const isOwnKey = (key: string) => key === apiKey
  const context = { environment: cloudName, isOwnKey, signedAt, source: 'web' as const }
  for (const event of toEvents(Buffer.from(body), { ...context, receivedAt: new Date() })) {
    // the queue deduplicates a body that is sent again and keeps the first event
    if (!authentic.has(event.id)) authentic.set(event.id, event)
  }
  return Object.entries(signatureHeaders(body, LOCAL_CLOUDINARY, signedAt))
}

const host: HeaderLine = ['Host', 'localhost']

const lengthOf = (body: string | Buffer): HeaderLine => ['Content-Length', String(Buffer.byteLength(body))]

/** Builds an authentic request; the extra header lines come last. */
const authenticRequest = (
  body: string | Buffer,
  extra: readonly HeaderLine[] = [],
  request: Omit<RawRequest, 'headers' | 'body'> = {}
) => rawRequest({ headers: [host, lengthOf(body), ...sign(body), ...extra], body, ...request })

/** For how long `deliver` repeats a notification that is answered 503, in milliseconds. */
const PATIENCE_MS = 25_000

/** Sends a request, and repeats it while it is answered 503, as Cloudinary does: `web` may be overloaded. */
async function deliver(request: Buffer, answers = 1): Promise<readonly number[]> {
  const startedAt = performance.now()
  for (;;) {
    const statuses = await exchange(request, { port, answers })
    if (statuses[0] !== 503 || performance.now() - startedAt > PATIENCE_MS) return statuses
  }
}

const isRefusal = (status: number) => status >= 400 && status < 500
const isAllowed = (status: number) => status === 200 || status === 503 || isRefusal(status)

const chunked = (...chunks: string[]) =>
  [...chunks, ''].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')

const UPLOAD = JSON.stringify(sampleNotification('upload', { publicId: 'fuzzed' }))

t.test('refuses malformed requests and does not answer requests hidden in them', async (t) => {
  for (const [name, { bytes, answers }] of Object.entries(MALFORMED_REQUESTS)) {
    const statuses = await deliver(bytes, answers)
    t.ok(statuses.every(isRefusal), `${name}: ${statuses.slice(0, 5)}`)
  }
})

t.test('separates pipelined requests, whatever their bodies contain', async (t) => {
  const hidden = authenticRequest('{"hidden":1}')
  const health = rawRequest({ method: 'GET', target: '/health', headers: [host] })
  const requests = [
    rawRequest({ headers: [host, lengthOf(hidden)], body: hidden }),
    authenticRequest('{"first":1}'),
    rawRequest({ headers: [host, ['Transfer-Encoding', 'chunked']], body: chunked(hidden.toString()) }),
    authenticRequest('{"second":1}'),
    health
  ]
  t.strictSame(await exchange(Buffer.concat(requests), { port, answers: 5 }), [401, 200, 401, 200, 200])
})

t.test('accepts an authentic notification in an unusual request', async (t) => {
  const chunkedUpload = rawRequest({
    headers: [host, ...sign(UPLOAD), ['Transfer-Encoding', 'chunked']],
    body: chunked(...(UPLOAD.match(/.{1,7}/gs) ?? []))
  })
  const unusual: Record<string, Buffer> = {
    'a body in many chunks': chunkedUpload,
    'Expect: 100-continue': authenticRequest(UPLOAD, [['Expect', '100-continue']]),
    'an upgrade': authenticRequest(UPLOAD, [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'h2c']
    ]),
    'HTTP/1.0': authenticRequest(UPLOAD, [], { version: 'HTTP/1.0' }),
    'a query': authenticRequest(UPLOAD, [], { target: '/webhooks/cloudinary?__proto__=x&%zz' }),
    'an encoded target': authenticRequest(UPLOAD, [], { target: '/webhooks/%63loudinary' }),
    'no body': rawRequest({ headers: [host, ...sign('')] }),
    'a compressed body': authenticRequest(gzipSync(UPLOAD), [['Content-Encoding', 'gzip']]),
    'an unknown encoding': authenticRequest(UPLOAD, [['Content-Encoding', 'a, \x80']])
  }
  for (const type of [
    '',
    ' ',
    'json',
    '/',
    'application/',
    'application/json; charset=utf-16',
    'application/json; charset="',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'application/x-www-form-urlencoded',
    'text/plain, application/json',
    'a b/c d',
    '\x80\xff',
    '*/*',
    'undefined',
    `text/${'x'.repeat(10_000)}`,
    `text/plain;${'a="\\"";'.repeat(1000)}`
  ]) {
    unusual[`the content type ${JSON.stringify(type.slice(0, 40))}`] = authenticRequest(UPLOAD, [
      ['Content-Type', type]
    ])
  }
  for (const [name, bytes] of Object.entries(unusual)) t.strictSame(await deliver(bytes), [200], name)
})

t.test('refuses a body with a wrong length, or over the limit', async (t) => {
  const over = 'x'.repeat(BODY_LIMIT + 1)
  const cut = UPLOAD.slice(0, -1)
  const cases: Record<string, { bytes: Buffer; statuses: number[] }> = {
    'longer than Content-Length': {
      bytes: rawRequest({ headers: [host, lengthOf(UPLOAD), ...sign(UPLOAD)], body: `${UPLOAD}rubbish` }),
      statuses: [400]
    },
    'one byte short of what was signed': {
      bytes: rawRequest({ headers: [host, lengthOf(cut), ...sign(UPLOAD)], body: cut }),
      statuses: [401]
    },
    'over the limit by Content-Length': {
      // only the beginning of the body: `web` closes without reading the rest, and the reset could overtake the answer
      bytes: authenticRequest(over).subarray(0, 4096),
      statuses: [413]
    },
    'over the limit by Content-Length, without a body': {
      bytes: rawRequest({ headers: [host, ['Content-Length', '999999999999'], ...sign('')] }),
      statuses: [413]
    },
    'over the limit in chunks': {
      bytes: rawRequest({
        headers: [host, ['Transfer-Encoding', 'chunked'], ...sign(over)],
        body: chunked(...Array.from({ length: 40 }, () => 'x'.repeat(30_000)))
      }),
      statuses: [413]
    },
    'in chunks followed by garbage': {
      bytes: rawRequest({
        headers: [host, ['Transfer-Encoding', 'chunked'], ...sign(UPLOAD)],
        body: '5\r\nhello\r\nrubbish\r\n'
      }),
      statuses: [400]
    }
  }
  for (const [name, { bytes, statuses }] of Object.entries(cases)) {
    t.strictSame(await deliver(bytes), statuses, name)
  }
  const short = rawRequest({ headers: [host, ['Content-Length', '999'], ...sign(UPLOAD)], body: UPLOAD })
  t.strictSame(await exchange(short, { port, answers: 0 }), [400], 'shorter than Content-Length, then closed')
  t.strictSame(await exchange(short.subarray(0, 60), { port, answers: 0 }), [400], 'closed in the head')
})

t.test('senders that stop midway do not delay others', async (t) => {
  const bytes = authenticRequest('{"stopped":1}')
  const stopped = await Promise.all(Array.from({ length: 200 }, () => RawConnection.open({ port })))
  t.teardown(() => stopped.map((connection) => connection.destroy()))
  stopped.forEach((connection, index) => {
    connection.write(bytes.subarray(0, Math.floor((bytes.length * index) / stopped.length)))
  })
  t.strictSame(await deliver(authenticRequest('{"meanwhile":1}')), [200])
  t.equal((await fetch(new URL('/ready', String(url)))).status, 200)
  t.ok(stopped.every(({ closed, statuses }) => !closed && statuses.length === 0))

  // at once, since one after the other a slow machine reaches the request time-out
  const ends = stopped.map((connection, index) => {
    const sent = Math.floor((bytes.length * index) / stopped.length)
    connection.write(bytes.subarray(sent))
    return { connection, sent }
  })
  for (const { connection, sent } of ends) {
    await connection.answers(1)
    t.strictSame(connection.statuses, [200], `accepts the rest of ${bytes.length} bytes after ${sent}`)
  }
})

/** Requests with the hostile bodies, by name; signed once, since the events of some take long to find. */
const HOSTILE = Object.entries(HOSTILE_BODIES).map(([name, body]) => ({
  name,
  bytes: authenticRequest(body)
}))

t.test('accepts an authentic body with hostile content', async (t) => {
  const many = Object.entries(MANY_ASSETS).map(([name, body]) => ({ name, bytes: authenticRequest(body) }))
  for (const { name, bytes } of [...HOSTILE, ...many]) t.strictSame(await deliver(bytes), [200], name)
})

t.test('accepts any authentic JSON', async () => {
  // fauxqs 2.4 rejects characters beyond U+FFFF, which SQS accepts
  const key = fc.oneof(
    fc.constantFrom(...Object.keys(sampleNotification('upload')), 'resources', 'assets', '__proto__'),
    fc.string({ unit: 'binary-ascii' })
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom(null, true, 'upload', 'rename', 1e300, -0),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string({ unit: 'binary-ascii' }),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(key, tie('value'), { maxKeys: 5 })
    )
  }))
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, value, { maxKeys: 8 }), async (fields) => {
      const statuses = await deliver(authenticRequest(JSON.stringify(fields)))
      return statuses.length === 1 && statuses[0] === 200
    }),
    { numRuns: 150 }
  )
})

t.test('refuses forged signatures and timestamps', async (t) => {
  for (const [name, { body, headers }] of Object.entries(forgeries(UPLOAD, now()))) {
    const bytes = rawRequest({ headers: [host, lengthOf(body), ...headers], body })
    t.strictSame(await deliver(bytes), [401], name)
  }
})

t.test('accepts a signature in upper case or with white space around it', async (t) => {
  const [timestamp = host, signature = host] = sign(UPLOAD)
  for (const headers of [
    [timestamp, [signature[0], signature[1].toUpperCase()]],
    [[timestamp[0], ` \t${timestamp[1]}\t `] as const, [signature[0], `\t ${signature[1]} `] as const]
  ] as HeaderLine[][]) {
    const bytes = rawRequest({ headers: [host, lengthOf(UPLOAD), ...headers], body: UPLOAD })
    t.strictSame(await deliver(bytes), [200])
  }
})

t.test('refuses any text in place of a signature or timestamp', async () => {
  // without characters that would end the header line
  const text = fc.string({ unit: 'binary-ascii' }).map((value) => value.replace(/[\0\r\n]/g, ''))
  await fc.assert(
    fc.asyncProperty(text, text, fc.boolean(), async (timestamp, signature, fresh) => {
      const headers: HeaderLine[] = [
        ['X-Cld-Timestamp', fresh ? String(now()) : timestamp],
        ['X-Cld-Signature', signature]
      ]
      const statuses = await deliver(rawRequest({ headers: [host, lengthOf('{}'), ...headers], body: '{}' }))
      return statuses.length === 1 && statuses.every(isRefusal)
    }),
    { numRuns: 150 }
  )
})

/** A change to the bytes of a request; `at` is a fraction of its length. */
const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(8),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    fc
      .constantFrom('\r\n', '\n', '\r', '\0', ':', ' ', '\t', '\r\n\r\n', '0\r\n\r\n', '99999999999')
      .map(Buffer.from),
    fc
      .constantFrom(
        'Transfer-Encoding: chunked',
        'Content-Length: 1',
        'Connection: close',
        'Expect: 100-continue'
      )
      .map((line) => Buffer.from(`\r\n${line}\r\n`))
  )
})

t.test('refuses a mutated request, or stores only what was signed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 6 }), async (mutations) => {
      const bytes = mutations.reduce((request, { at, remove, insert }) => {
        const from = Math.floor(at * request.length)
        return Buffer.concat([request.subarray(0, from), insert, request.subarray(from + remove)])
      }, authenticRequest('{"notification_type":"rename","asset_id":"mutated"}'))
      // the mutation may have truncated the request, so there may be no answer to wait for
      const statuses = await exchange(bytes, { port, answers: 0 })
      return statuses.every(isAllowed)
    }),
    { numRuns: 400 }
  )
})

const residentBytes = () =>
  1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

t.test(
  'memory does not grow with the amount of data received',
  { skip: platform !== 'linux' && 'needs /proc' },
  async (t) => {
    const largest = 'x'.repeat(BODY_LIMIT)
    const [timestamp = host] = sign(UPLOAD)
    // web must read all of it before it can verify the signature
    const forged = rawRequest({
      headers: [host, lengthOf(largest), timestamp, ['X-Cld-Signature', '0'.repeat(40)]],
      body: largest
    })
    const sendAll = async (forgeries: number) => {
      for (const { bytes, answers } of Object.values(MALFORMED_REQUESTS)) {
        await deliver(bytes, answers)
      }
      for (const { bytes } of HOSTILE) await deliver(bytes)
      for (let sent = 0; sent < forgeries; sent++) {
        const statuses = await exchange(forged, { port })
        if (statuses[0] !== 401) t.strictSame(statuses, [503], 'refused or overloaded')
      }
    }
    // V8 grows by some 50 MiB before it collects, most of it at first
    await sendAll(50)
    const before = residentBytes()
    const FORGED = 150
    await sendAll(FORGED)
    const grown = residentBytes() - before
    // keeping half of what was sent would fail the test
    t.ok(grown < (FORGED * largest.length) / 2, `resident memory grew by ${Math.round(grown / 2 ** 20)} MiB`)
  }
)

t.test('the process survives and still accepts notifications', async (t) => {
  t.equal(web.child.pid, pid)
  t.equal(web.child.exitCode, null)
  t.equal((await fetch(new URL('/health', String(url)))).status, 200)
  const upload = JSON.stringify(sampleNotification('upload', { publicId: 'at-the-end' }))
  t.strictSame(await deliver(authenticRequest(upload)), [200])

  const stored =
    queue.server.inspectQueue(QUEUE_NAME)?.messages.ready.map(({ body }) => decodeMessage(body)) ?? []
  const withoutTime = (event: AssetEvent | undefined) =>
    JSON.stringify({ ...event, receivedAt: undefined, signedAt: undefined, occurredAt: undefined })
  const foreign = stored.filter((event) => withoutTime(event) !== withoutTime(authentic.get(event.id)))
  t.strictSame(foreign, [], 'the queue contains only signed events, unchanged')
  t.ok(stored.some(({ asset }) => asset?.publicId === 'at-the-end'))
  t.notOk('polluted' in {})
  t.notOk(stored.some(({ payload, asset }) => 'polluted' in payload || asset?.assetId === 'polluted'))
})

t.test('the log has only expected messages and no secret', async (t) => {
  const outcomes = new Set(web.lines.map(({ msg }) => msg))
  t.strictSame(
    [...outcomes].filter(
      (msg) =>
        !/^(?:Server listening|web is ready|notification |request refused|refused requests not logged|POST to unknown path)/.test(
          String(msg)
        )
    ),
    []
  )
  const refused = web.lines.filter(({ msg }) => msg === 'request refused')
  t.ok(refused.every(({ status }) => isRefusal(Number(status))))
  const unavailable = web.lines.filter(({ outcome }) => outcome === 'unavailable')
  t.ok(unavailable.every(({ code }) => code === 'OVERLOADED' || code === 'QUEUE_UNAVAILABLE'))
  const log = JSON.stringify(web.lines)
  t.notMatch(log, apiSecret)
})
