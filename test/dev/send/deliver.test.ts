import { test } from 'tap'
import { deliver, type Transport } from '../../../dev/send/deliver.ts'
import { makeRequest } from '../../../dev/send/request.ts'
import { sendOptions } from './fixtures.ts'
import { deserted, receiver } from './receiver.ts'

const request = makeRequest(sendOptions(), 0, new Date())

/** A clock that is 5 ms further every time it is read. */
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

test('an answer comes with its status, its body and how long it took', async (t) => {
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

test('a redirect is not followed', async (t) => {
  const { url } = await receiver(t, () => ({ status: 308, body: {} }))
  t.match(await deliver(url, request, { fetch, elapsed: ticking() }), { kind: 'answered', status: 308 })
})

test('where nothing listens there is no answer but ECONNREFUSED', async (t) => {
  t.match(await deliver(await deserted(), request, { fetch, elapsed: ticking() }), {
    kind: 'unanswered',
    reason: 'ECONNREFUSED',
    ms: 5
  })
})

test('silence ends with the time-out that Cloudinary has', async (t) => {
  const timeout = new DOMException('The operation was aborted due to timeout', 'TimeoutError')
  t.match(await deliver('http://x', request, failing(timeout)), { reason: 'no answer within 20 s' })
})

test('any other fault is told in its own words', async (t) => {
  const cases: [unknown, string][] = [
    [new TypeError('fetch failed', { cause: new Error('bad port') }), 'bad port'],
    [new TypeError('terminated'), 'terminated'],
    ['thrown text', 'thrown text']
  ]
  for (const [error, reason] of cases) {
    t.match(await deliver('http://x', request, failing(error)), { kind: 'unanswered', reason })
  }
})
