import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { IngestOutcome, Notification } from '../../../app/ingest/ingest.ts'
import { Poller, type PollerOptions } from '../../../app/poll/poller.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'
import { memoryMetrics } from '../../support/metrics.ts'

const SUMMARY = { environment: 'demo', type: 'upload', notificationType: 'upload', ids: [] } as const

const ACCEPTED: IngestOutcome = { outcome: 'accepted', events: 1, summary: { ...SUMMARY, ids: [] } }

/** Collects occurrences that a test can wait for. */
class Happenings<T> {
  readonly all: T[] = []
  #waiting: (() => void)[] = []

  add(one: T): void {
    this.all.push(one)
    for (const wake of this.#waiting.splice(0)) wake()
  }

  async reach(count: number): Promise<T> {
    while (this.all.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.all[count - 1] as T
  }
}

/** Builds a poller of the channel `orders`, which sleeps until the test wakes it. */
async function build(t: Test, overrides: Partial<PollerOptions> = {}) {
  const { cloudinary, clients } = await buildCloudinary(t, { random: () => 0 })
  cloudinary.cloud().triggers.create({ uri: 'poll://orders', event_type: 'all', uri_type: 'poll' }, 0)
  const lines: Record<string, unknown>[] = []
  const { metrics, counts } = memoryMetrics()
  const received = new Happenings<Notification>()
  const sleeps = new Happenings<{ milliseconds: number; wake: () => void }>()
  const poller = new Poller({
    channel: 'orders',
    connect: (signal) => clients.for('demo', signal),
    ingest: {
      async receive(notification) {
        received.add(notification)
        return ACCEPTED
      }
    },
    metrics,
    log: pino({ level: 'info' }, { write: (text) => void lines.push(JSON.parse(text)) }),
    random: () => 0.5,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve())
        sleeps.add({ milliseconds, wake: resolve })
      }),
    ...overrides
  })
  t.teardown(() => poller.stop())
  const acknowledged = () => cloudinary.called(({ action }) => action === 'ack_notifications')
  return {
    cloudinary,
    poller,
    lines,
    counts,
    received,
    sleeps,
    acknowledged,
    left: () => cloudinary.cloud().channels.size('orders')
  }
}

t.test('acknowledges stored messages and continues', async (t) => {
  const { cloudinary, poller, received, acknowledged, left, lines, counts } = await build(t)
  poller.start()
  poller.start()
  cloudinary.as().upload({ publicId: 'a' })
  t.match(JSON.parse(String((await received.reach(1)).body)), { public_id: 'a' })
  await acknowledged()
  t.equal(left(), 0)
  cloudinary.as().upload({ publicId: 'b' })
  await received.reach(2)
  t.strictSame(counts, { PollMessages: 2 })
  t.match(lines, [{ msg: 'notification accepted' }])
  t.match(cloudinary.calls.find(({ action }) => action === 'notifications')?.params, {
    max_messages: '50',
    wait_seconds: '30',
    visibility_timeout: '60'
  })
})

t.test('does not acknowledge messages that are not stored; pauses, then continues', async (t) => {
  const outcomes: IngestOutcome[] = [
    {
      outcome: 'unavailable',
      code: 'QUEUE_UNAVAILABLE',
      reason: 'SQS has not stored every event',
      error: new Error('down'),
      summary: { ...SUMMARY, ids: [] }
    }
  ]
  const take = async () => outcomes.shift() ?? ACCEPTED
  const { cloudinary, poller, sleeps, acknowledged, left, lines } = await build(t, {
    ingest: { receive: take },
    visibilitySeconds: 1
  })
  poller.start()
  cloudinary.as().upload({ publicId: 'a' })
  const { milliseconds, wake } = await sleeps.reach(1)
  t.equal(milliseconds, 500)
  t.equal(left(), 1)
  t.notOk(cloudinary.calls.some(({ action }) => action === 'ack_notifications'))
  t.match(lines, [
    { msg: 'notification not stored; left in channel' },
    { msg: 'poll failed; retrying', err: { message: 'down' }, retryInSeconds: 1 }
  ])
  wake()
  await acknowledged()
})

t.test('pauses longer while Cloudinary fails, and resets after a success', async (t) => {
  const { cloudinary, poller, sleeps, lines, counts } = await build(t, { waitSeconds: 0 })
  const fault = { kind: 'status', status: 503, action: 'notifications' } as const
  cloudinary.faults.add({ ...fault, count: 2 })
  poller.start()
  t.equal((await sleeps.reach(1)).milliseconds, 500)
  sleeps.all[0]?.wake()
  t.equal((await sleeps.reach(2)).milliseconds, 1000)
  sleeps.all[1]?.wake()
  t.equal((await sleeps.reach(3)).milliseconds, 1000, 'waits after an empty response that came at once')
  cloudinary.faults.add({ ...fault, count: 1 })
  sleeps.all[2]?.wake()
  t.equal((await sleeps.reach(4)).milliseconds, 500)
  t.match(lines, Array(3).fill({ level: 50, err: { code: 'CLOUDINARY_UNAVAILABLE' } }))
  t.strictSame(counts, { PollFailures: 3 })
})

t.test('waits for the end of a rate limit', async (t) => {
  const now = Date.now()
  const { cloudinary, poller, sleeps } = await build(t, { clock: () => now })
  const until = new Date(Math.ceil(now / 1000) * 1000 + 600_000)
  cloudinary.faults.add({ kind: 'rate_limit', until, count: 1 })
  poller.start()
  t.equal((await sleeps.reach(1)).milliseconds, until.getTime() - now + 2500)
})

t.test('fetches again at once after an empty long poll', async (t) => {
  let elapsed = 0
  const { cloudinary, poller, received, sleeps } = await build(t, {
    waitSeconds: 0,
    elapsedMs: () => {
      elapsed += 1000
      return elapsed
    }
  })
  poller.start()
  await cloudinary.called(() => cloudinary.calls.length > 1)
  cloudinary.as().upload({ publicId: 'a' })
  await received.reach(1)
  t.strictSame(sleeps.all, [])
})

t.test('a stop finishes the current message, acknowledges stored ones and leaves the rest', async (t) => {
  const holding = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const { cloudinary, poller, left, lines } = await build(t, {
    ingest: {
      async receive() {
        holding.resolve()
        await release.promise
        return ACCEPTED
      }
    }
  })
  for (const publicId of ['a', 'b']) cloudinary.as().upload({ publicId })
  await cloudinary.idle()
  poller.start()
  await holding.promise
  const stopped = poller.stop()
  release.resolve()
  await stopped
  t.equal(left(), 1)
  t.match(lines, [{ msg: 'notification accepted' }])
  t.equal(lines.length, 1)
})

t.test('a stop aborts a waiting fetch without logging', async (t) => {
  const { cloudinary, poller, lines } = await build(t)
  poller.start()
  while (cloudinary.calls.length === 0) await new Promise(setImmediate)
  await poller.stop()
  t.strictSame(lines, [])
})

t.test('a stop ends a pause, and works before the start', async (t) => {
  const { cloudinary, poller, sleeps } = await build(t)
  cloudinary.faults.add({ kind: 'status', status: 503 })
  poller.start()
  await sleeps.reach(1)
  await poller.stop()
  const { poller: another } = await build(t)
  await another.stop()
})

t.test('counts flaws of messages each time and logs them once', async (t) => {
  const notification = (receipt_handle?: string) => ({ signed_payload: 'e30', receipt_handle })
  const rounds = [[null, 7, notification()], [[], notification(), notification('bad')], []]
  const handles: string[] = []
  t.capture(globalThis, 'fetch', async (_url: URL, { method, body }: RequestInit) => {
    if (method === 'GET') return Response.json({ messages: rounds.shift() })
    handles.push(...JSON.parse(String(body)).receipt_handles)
    return new Response('{}', { status: 400 })
  })
  const { poller, sleeps, lines, counts } = await build(t, { elapsedMs: () => 0 })
  poller.start()
  for (let round = 1; round <= 3; round++) {
    const { milliseconds, wake } = await sleeps.reach(round)
    t.equal(milliseconds, 1000, 'waits after a round without progress')
    if (round < 3) wake()
  }
  t.strictSame(handles, ['bad'])
  t.match(counts, {
    PollMessages: 3,
    'PollMessagesFlawed POLL_MESSAGE_INVALID': 3,
    'PollMessagesFlawed RECEIPT_HANDLE_MISSING': 2,
    'PollMessagesFlawed ACKNOWLEDGE_REJECTED': 1
  })
  t.strictSame(
    lines.filter(({ level }) => level === 50).map(({ code, messages }) => [code, messages]),
    [
      ['POLL_MESSAGE_INVALID', 2],
      ['RECEIPT_HANDLE_MISSING', 1],
      ['ACKNOWLEDGE_REJECTED', 1]
    ]
  )
})
