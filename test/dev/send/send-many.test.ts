import { test } from 'tap'
import {
  deliver,
  isExpected,
  type Outcome,
  percentile,
  sendMany,
  summaryLines,
  type Transport
} from '../../../dev/send/send-many.ts'
import { DEFECTS, type Defect, type SendOptions } from '../../../dev/send/send-options.ts'
import { makeRequest } from '../../../dev/send/signed-request.ts'
import { sendOptions } from './fixtures.ts'
import { receiver, unusedUrl } from './receiver.ts'

const run = (options: SendOptions, elapsed = () => performance.now(), print = (_: string) => {}) =>
  sendMany(options, (index) => makeRequest(options, index, new Date()), { fetch, elapsed }, print)

test('sends a notification for each asset, at most N at once', async (t) => {
  const { url, received, peak } = await receiver(t)
  const summary = await run(sendOptions({ url, count: 30, concurrency: 4 }))
  t.match(summary, { sent: 30, outcomes: { 200: 30 }, unexpected: 0, stopped: null })
  t.equal(summary.latencies.length, 30)
  t.same(
    summary.latencies,
    summary.latencies.toSorted((a, b) => a - b)
  )
  t.equal(new Set(received.map(({ body }) => JSON.parse(body.toString()).asset_id)).size, 30)
  t.ok(peak() <= 4)
})

test('counts unexpected answers and continues', async (t) => {
  let requests = 0
  const { url } = await receiver(t, () => ({ status: ++requests % 2 ? 200 : 503, body: {} }))
  const summary = await run(sendOptions({ url, count: 4, concurrency: 1 }))
  t.match(summary, { sent: 4, outcomes: { 200: 2, 503: 2 }, unexpected: 2 })
})

test('expects the refusal of a deliberate error', async (t) => {
  const { url } = await receiver(t)
  const summary = await run(sendOptions({ url, count: 3, defect: 'tampered' }))
  t.match(summary, { outcomes: { 401: 3 }, unexpected: 0 })
})

test('stops early if nothing listens', async (t) => {
  const summary = await run(sendOptions({ url: await unusedUrl(), count: 100, concurrency: 1 }))
  t.match(summary, { sent: 1, outcomes: { ECONNREFUSED: 1 }, unexpected: 1, stopped: 'ECONNREFUSED' })
})

test('continues after a failed delivery', async (t) => {
  const options = sendOptions({ count: 3 })
  const broken = { fetch: () => Promise.reject(new Error('reset')), elapsed: () => 0 }
  const summary = await sendMany(
    options,
    (index) => makeRequest(options, index, new Date()),
    broken,
    () => {}
  )
  t.match(summary, { sent: 3, outcomes: { reset: 3 }, unexpected: 3, latencies: [], stopped: null })
})

test('prints its progress every second, also without answers', async (t) => {
  const lines: string[] = []
  let tick = () => {}
  let [now, isOver] = [0, false]
  const options = sendOptions({ count: 3, concurrency: 1 })
  const statuses = [200, 503, 200]
  const answer = async () => {
    now += 1000
    tick()
    return new Response('', { status: statuses.shift() })
  }
  const summary = await sendMany(
    options,
    (index) => makeRequest(options, index, new Date()),
    { fetch: answer, elapsed: () => now },
    (line) => lines.push(line),
    (call, pauseMs) => {
      t.equal(pauseMs, 1000)
      tick = call
      return () => {
        isOver = true
      }
    }
  )
  t.strictSame(lines, [
    'Progress  0 of 3 answered, 0 a second',
    'Progress  1 of 3 answered, 1 a second',
    'Progress  2 of 3 answered, 1 a second, 1 unexpected'
  ])
  t.ok(isOver)
  t.match(summary.example, { status: 503 })
})

test('uses the system timer by default', async (t) => {
  const options = sendOptions({ count: 1 })
  const progress = Promise.withResolvers<string>()
  const answer = () => progress.promise.then(() => new Response(''))
  await sendMany(
    options,
    () => makeRequest(options, 0, new Date()),
    { fetch: answer, elapsed: () => performance.now() },
    progress.resolve
  )
  t.match(await progress.promise, /^Progress {2}0 of 1/)
})

test('returns a measured value as percentile', async (t) => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
  t.equal(percentile(hundred, 0.5), 50)
  t.equal(percentile(hundred, 0.99), 99)
  t.equal(percentile(hundred, 0), 1)
  t.equal(percentile([7], 0.99), 7)
  t.ok(Number.isNaN(percentile([], 0.5)))
})

test('summarizes answers, rate and latency', async (t) => {
  const summary = {
    sent: 4,
    outcomes: { 200: 3, 503: 1 },
    unexpected: 1,
    seconds: 2,
    latencies: [1, 2, 3, 40],
    stopped: null
  }
  t.same(summaryLines(summary), [
    'Answers   3 × 200, 1 × 503',
    'Rate      2 a second: 4 in 2.0 s',
    'Latency   p50 2.0 ms, p99 40.0 ms',
    'Failures  1 unexpected answers'
  ])
  const instant = { ...summary, seconds: 0, latencies: [], unexpected: 0 }
  t.same(summaryLines(instant), ['Answers   3 × 200, 1 × 503', 'Rate      4 a second: 4 in 0.0 s'])
})

const request = makeRequest(sendOptions(), 0, new Date())

/** A clock that advances by 5 ms each time it is read. */
const ticking = () => {
  let now = 0
  return () => {
    now += 5
    return now
  }
}

const failing = (error: unknown): Transport => ({
  fetch: () => Promise.reject(error),
  elapsed: ticking()
})

test('returns status, body and duration of an answer', async (t) => {
  const { url, received } = await receiver(t)
  t.same(await deliver(url, request, { fetch, elapsed: ticking() }), {
    kind: 'answered',
    status: 200,
    body: '{"accepted":1}',
    ms: 5
  })
  t.same(received[0]?.body, request.body)
  t.match(received[0]?.headers, { 'content-type': 'application/json', 'x-cld-signature': /^[0-9a-f]{40}$/ })
})

test('does not follow a redirect', async (t) => {
  const { url } = await receiver(t, () => ({ status: 308, body: {} }))
  t.match(await deliver(url, request, { fetch, elapsed: ticking() }), { kind: 'answered', status: 308 })
})

test('returns ECONNREFUSED if nothing listens', async (t) => {
  t.match(await deliver(await unusedUrl(), request, { fetch, elapsed: ticking() }), {
    kind: 'unanswered',
    reason: 'ECONNREFUSED',
    ms: 5
  })
})

test('uses the time-out of Cloudinary', async (t) => {
  const timeout = new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  t.match(await deliver('http://x', request, failing(timeout)), { reason: 'no answer within 20 s' })
})

test('returns the message of any other error', async (t) => {
  const cases: [unknown, string][] = [
    [new TypeError('fetch failed', { cause: new Error('bad port') }), 'bad port'],
    [new TypeError('terminated'), 'terminated'],
    ['thrown text', 'thrown text']
  ]
  for (const [error, reason] of cases) {
    t.match(await deliver('http://x', request, failing(error)), { kind: 'unanswered', reason })
  }
})

const answered = (status: number, code?: string): Outcome => ({
  kind: 'answered',
  status,
  body: JSON.stringify({ code }),
  ms: 1
})

test('expects 200 for a valid notification', async (t) => {
  t.ok(isExpected(sendOptions(), answered(200)))
  t.notOk(isExpected(sendOptions(), answered(202)))
  t.notOk(isExpected(sendOptions(), answered(401, 'SIGNATURE_INVALID')))
  t.notOk(isExpected(sendOptions(), { kind: 'unanswered', reason: 'ECONNREFUSED', ms: 1 }))
})

test('expects 401 with the right code for a deliberate error', async (t) => {
  for (const defect of Object.keys(DEFECTS) as Defect[]) {
    t.ok(isExpected(sendOptions({ defect }), answered(401, DEFECTS[defect].code)))
    t.notOk(isExpected(sendOptions({ defect }), answered(401, 'SIGNATURE_OTHER')))
    t.notOk(isExpected(sendOptions({ defect }), answered(200)))
  }
})
