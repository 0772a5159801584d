import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { Cloud } from '../../../dev/cloudinary/cloud.ts'
import { Notifier, type NotifierOptions } from '../../../dev/cloudinary/notifier.ts'
import { environment, listen } from './sdk.ts'

const cloud = new Cloud(environment)
const BODY = '{"notification_type":"upload","public_id":"é"}'

/** Sends everything to one URL only. */
function pointTo(uri?: string): void {
  for (const { id } of cloud.triggers.list()) cloud.triggers.delete(id)
  if (uri) cloud.triggers.create({ uri, event_type: 'all' }, 0)
}

function start(t: Test, options: Partial<NotifierOptions> = {}): Notifier {
  const notifier = new Notifier({
    algorithm: 'sha1',
    retryDelaysMs: [],
    timeoutMs: 20_000,
    concurrency: 10,
    resign: false,
    clock: () => 1_700_000_000_000,
    maxRecords: 100,
    onAttempt: () => {},
    ...options
  })
  t.teardown(() => notifier.stop())
  return notifier
}

t.test('signs the exact bytes', async (t) => {
  const received = Promise.withResolvers<{ headers: NodeJS.Dict<string | string[]>; body: Buffer }>()
  const url = await listen(t, async (request, response) => {
    const chunks: Buffer[] = await request.toArray()
    received.resolve({ headers: request.headers, body: Buffer.concat(chunks) })
    response.end('ok')
  })
  const notifier = start(t)
  pointTo(url)
  const delivery = await notifier.send(cloud, Buffer.from(BODY))
  t.match(delivery, {
    outcome: 'delivered',
    status: 200,
    attempt: 1,
    notificationType: 'upload',
    cloud: 'demo'
  })
  const { headers, body } = await received.promise
  t.equal(body.toString(), BODY)
  t.equal(headers['x-cld-timestamp'], '1700000000')
  const signed = createHash('sha1').update(`${BODY}1700000000own-secret`).digest('hex')
  t.equal(headers['x-cld-signature'], signed)
})

t.test('delivers any body, also one that is not a notification', async (t) => {
  const notifier = start(t)
  pointTo(await listen(t))
  t.match(await notifier.send(cloud, 'not JSON'), { notificationType: null, outcome: 'delivered' })
  t.match(await notifier.send(cloud, '{"notification_type":1}'), { notificationType: null })
  t.match(await notifier.send(cloud, 'null'), { notificationType: null })
})

t.test('sends nothing without a target', async (t) => {
  const notifier = start(t)
  pointTo()
  t.equal(await notifier.send(cloud, BODY), undefined)
  t.same(notifier.deliveries.items, [])
  await notifier.idle()
})

t.test('sends to the triggers of the type', async (t) => {
  const hook = await listen(t)
  const cloud = new Cloud(environment)
  const { triggers, channels } = cloud
  triggers.create({ uri: hook, event_type: 'upload' }, 0)
  triggers.create({ uri: `${hook}/all`, event_type: 'all' }, 0)
  triggers.create({ uri: hook, event_type: 'all' }, 0)
  triggers.create({ uri: 'poll://orders', event_type: 'upload', uri_type: 'poll' }, 0)
  triggers.create({ uri: `${hook}/delete`, event_type: 'delete' }, 0)
  const attempts: string[] = []
  const notifier = start(t, { onAttempt: ({ url }) => attempts.push(url) })
  t.match(await notifier.send(cloud, BODY), { url: hook, outcome: 'delivered' })
  t.same(new Set(attempts), new Set([hook, `${hook}/all`, 'poll://orders']))
  t.match(
    notifier.deliveries.items.find(({ url }) => url === 'poll://orders'),
    { outcome: 'buffered', notificationType: 'upload', status: null }
  )
  t.equal(channels.size('orders'), 1)
  t.equal(attempts.length, 3, 'each URL is notified once')
  await notifier.send(cloud, 'no JSON')
  t.same(new Set(attempts.splice(0).slice(3)), new Set([hook, `${hook}/all`]))
})

t.test('the URL of a call replaces all triggers except additive ones', async (t) => {
  const hook = await listen(t)
  const cloud = new Cloud(environment)
  const { triggers } = cloud
  triggers.create({ uri: `${hook}/1`, event_type: 'upload' }, 0)
  triggers.create({ uri: `${hook}/2`, event_type: 'upload', additive: true }, 0)
  triggers.create({ uri: `${hook}/3`, event_type: 'delete', additive: true }, 0)
  const notifier = start(t)
  const targets = async (...args: [string?]) => {
    const before = notifier.deliveries.items.length
    await notifier.send(cloud, BODY, ...args)
    return new Set(notifier.deliveries.items.slice(before).map(({ url }) => url))
  }
  t.same(await targets(`${hook}/own`), new Set([`${hook}/own`, `${hook}/2`]))
  t.same(await targets(), new Set([`${hook}/1`, `${hook}/2`]))
})

t.test('retries after any status except 200, with the same headers', async (t) => {
  const statuses = [204, 302, 500, 200]
  const signatures: unknown[] = []
  const url = await listen(t, (request, response) => {
    signatures.push(request.headers['x-cld-signature'])
    response.writeHead(statuses.shift()!, { location: '/elsewhere' }).end()
  })
  let now = 1_700_000_000_000
  const attempts: number[] = []
  const notifier = start(t, {
    retryDelaysMs: [1, 2, 3],
    clock: () => (now += 60_000),
    onAttempt: ({ attempt }) => attempts.push(attempt)
  })
  pointTo(url)
  t.match(await notifier.send(cloud, BODY), { attempt: 4, outcome: 'delivered' })
  t.match(notifier.deliveries.items, [
    { attempt: 1, status: 204, outcome: 'will_retry', retryInMs: 1 },
    { attempt: 2, status: 302, outcome: 'will_retry', retryInMs: 2 },
    { attempt: 3, status: 500, outcome: 'will_retry', retryInMs: 3 },
    { attempt: 4, status: 200, outcome: 'delivered', retryInMs: null }
  ])
  t.equal(new Set(signatures).size, 1)
  t.same(attempts, [1, 2, 3, 4])
})

t.test('signs each attempt anew with `resign`', async (t) => {
  let now = 1_700_000_000_000
  const notifier = start(t, { retryDelaysMs: [0], resign: true, clock: () => (now += 60_000) })
  pointTo(await listen(t, (_request, response) => response.writeHead(500).end()))
  t.match(await notifier.send(cloud, BODY), { outcome: 'given_up', status: 500 })
  const [first, second] = notifier.deliveries.items
  t.not(first!.headers['x-cld-timestamp'], second!.headers['x-cld-timestamp'])
})

t.test('a time-out or a network error is a failure', async (t) => {
  const silent = await listen(t, () => {})
  const reset = await listen(t, (request) => request.socket.destroy())
  const notifier = start(t, { timeoutMs: 20 })
  t.match(await notifier.send(cloud, BODY, silent), {
    outcome: 'given_up',
    status: null,
    error: 'no answer within 20 ms'
  })
  t.match(await notifier.send(cloud, BODY, reset), { outcome: 'given_up', error: /./ })
  t.match(await notifier.send(cloud, BODY, 'http://127.0.0.1:1/'), { error: /bad port|ECONNREFUSED/ })
})

t.test('limits concurrent deliveries, and queues the others', async (t) => {
  const held: (() => void)[] = []
  const full = Promise.withResolvers<void>()
  let most = 0
  let open = 0
  const notifier = start(t, { concurrency: 2 })
  const url = await listen(t, (_request, response) => {
    open += 1
    most = Math.max(most, open)
    const answer = () => {
      open -= 1
      response.end()
    }
    if (held.length === 2) return answer()
    held.push(answer)
    if (held.length === 2) full.resolve()
  })
  pointTo(url)
  const sent = Array.from({ length: 5 }, () => notifier.send(cloud, BODY))
  await full.promise
  for (const answer of held) answer()
  t.match(await Promise.all(sent), Array(5).fill({ outcome: 'delivered' }))
  t.equal(most, 2)
})

t.test('a stop cancels queued deliveries', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const silent = await listen(t, () => arrived.resolve())
  const notifier = start(t, { concurrency: 1 })
  const inFlight = notifier.send(cloud, BODY, silent)
  const waiting = notifier.send(cloud, BODY, silent)
  await arrived.promise
  await notifier.stop()
  t.match(await inFlight, { outcome: 'given_up' })
  t.equal(await waiting, undefined)
})

t.test('gives up a dropped notification without an attempt', async (t) => {
  let asked: unknown
  const attempts: unknown[] = []
  const notifier = start(t, {
    retryDelaysMs: [1],
    isDropped: (notification) => {
      asked = notification
      return notification.body === BODY
    },
    onAttempt: (delivery) => attempts.push(delivery)
  })
  const hook = await listen(t)
  pointTo(hook)
  t.match(await notifier.send(cloud, BODY), {
    outcome: 'given_up',
    status: null,
    attempt: 0,
    retryInMs: null,
    error: 'dropped on demand'
  })
  t.strictSame(asked, { cloud: 'demo', url: hook, notificationType: 'upload', body: BODY })
  t.strictSame(attempts, [])
  t.match(await notifier.send(cloud, '{}'), { outcome: 'delivered' })
  await notifier.idle()
  t.equal(notifier.deliveries.items.length, 2)
})

t.test('idle waits for deliveries in flight and pending retries', async (t) => {
  const answers = [500, 200]
  const notifier = start(t, { retryDelaysMs: [1] })
  pointTo(await listen(t, (_request, response) => response.writeHead(answers.shift()!).end()))
  void notifier.send(cloud, BODY)
  await notifier.idle()
  t.match(notifier.deliveries.items, [{ outcome: 'will_retry' }, { outcome: 'delivered' }])
})

t.test('a stop aborts a delivery and cancels a retry', async (t) => {
  const arrived = Promise.withResolvers<void>()
  const silent = await listen(t, () => arrived.resolve())
  const failing = await listen(t, (_request, response) => response.writeHead(500).end())
  const notifier = start(t, { retryDelaysMs: [180_000] })
  const retrying = notifier.send(cloud, BODY, failing)
  const inFlight = notifier.send(cloud, BODY, silent)
  await notifier.deliveries.when((delivery) => delivery.outcome === 'will_retry')
  await arrived.promise
  await notifier.stop()
  t.match(await retrying, { attempt: 1, outcome: 'will_retry' })
  t.match(await inFlight, { outcome: 'given_up', error: 'the stand-in was stopped' })
  t.equal(await notifier.send(cloud, BODY, silent), undefined, 'sends nothing after the stop')
})
