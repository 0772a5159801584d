import t from 'tap'
import type { ActivityFilter, EventPage, PageQuery } from '../../../app/activity/activity-store.ts'
import { LiveFeed, type LiveFeedOptions, type LiveMessage } from '../../../app/activity/live-feed.ts'
import { MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import { ListenerError } from '../../../app/errors.ts'
import { eventAt, listed, ManualTime, memoryLog, settled } from '../../support/activity.ts'

const MINUTE = 60_000

function build(options: Partial<LiveFeedOptions> = {}) {
  const memory = new MemoryActivityStore()
  const time = new ManualTime()
  const { log, lines } = memoryLog()
  const state = { polls: 0, isDown: false }
  const store = {
    list: async (query: PageQuery): Promise<EventPage> => {
      if (!query.cursor) state.polls++
      if (state.isDown) throw new ListenerError('JOURNAL_UNAVAILABLE', 'down')
      return memory.list(query)
    }
  }
  const feed = new LiveFeed({ store, log, clock: time.clock, every: time.every, ...options })
  return { feed, memory, time, state, lines }
}

/** A viewer that records its messages. */
function watch(feed: LiveFeed, { filter = {}, lastId }: { filter?: ActivityFilter; lastId?: string } = {}) {
  const messages: LiveMessage[] = []
  let ended = 0
  const leave = feed.watch({
    filter,
    lastId,
    send: (message) => messages.push(message),
    end: () => ended++
  })
  const seen = () => messages.map((message) => (message.kind === 'event' ? message.event.id : 'reset'))
  return { messages, seen, leave: leave!, isIn: leave !== undefined, ends: () => ended }
}

t.test('one poll in 500 ms serves all viewers, each by its filter', async (t) => {
  const { feed, memory, time, state } = build()
  const all = watch(feed)
  const dead = watch(feed, { filter: { status: ['dead'] } })
  await settled()
  memory.put(eventAt(500))
  memory.put(eventAt(501), { status: 'dead' })
  await time.pass(500)
  t.strictSame(all.seen(), ['event-000500', 'event-000501'], 'oldest first')
  t.strictSame(dead.seen(), ['event-000501'])
  await time.pass(3000)
  t.equal(all.messages.length, 2)
  t.equal(state.polls, 8)
  t.equal(feed.viewers, 2)
})

t.test('a changed event is sent again', async (t) => {
  const { feed, memory, time } = build()
  const viewer = watch(feed)
  await settled()
  memory.put(eventAt(0), { status: 'processing' })
  await time.pass(1000)
  memory.put(eventAt(0), { status: 'done' })
  await time.pass(1000)
  t.match(viewer.messages, [{ event: { status: 'processing' } }, { event: { status: 'done' } }])
})

t.test('an event is watched for changes for a minute', async (t) => {
  const { feed, memory, time } = build()
  const viewer = watch(feed)
  memory.put(eventAt(0), { status: 'retrying' })
  await time.pass(MINUTE)
  memory.put(eventAt(0), { status: 'dead' })
  await time.pass(10_000)
  t.equal(viewer.messages.length, 1)
  t.match(viewer.messages, [{ event: { status: 'retrying' } }])
})

t.test('a search that stops early resumes', async (t) => {
  const found = { events: [await listed(eventAt(0))] }
  const list = async ({ cursor }: PageQuery) => (cursor ? found : { events: [], older: 'further' })
  const { feed } = build({ store: { list } })
  const viewer = watch(feed)
  await settled()
  t.strictSame(viewer.seen(), ['event-000000'])
})

t.test('the feed does not poll without viewers', async (t) => {
  const { feed, time, state } = build()
  t.equal(time.timers, 0)
  const viewers = [watch(feed), watch(feed)]
  await time.pass(1000)
  viewers[0]!.leave()
  t.equal(time.timers, 1)
  viewers[1]!.leave()
  viewers[1]!.leave()
  t.equal(time.timers, 0)
  const { polls } = state
  await time.pass(MINUTE)
  t.equal(state.polls, polls)
  t.equal(feed.viewers, 0)
})

t.test('the first and later viewers receive recent events', async (t) => {
  const { feed, memory, time } = build()
  memory.put(eventAt(-20_000))
  memory.put(eventAt(-10_000))
  const first = watch(feed)
  await settled()
  t.strictSame(first.seen(), ['event--10000'])
  await time.pass(1000)
  const second = watch(feed)
  t.strictSame(second.seen(), ['event--10000'])
  await time.pass(10_000)
  t.strictSame(watch(feed).seen(), [])
})

t.test('a viewer resumes after its last message', async (t) => {
  const { feed, memory, time } = build()
  const before = watch(feed)
  await settled()
  for (const after of [1, 2, 3]) memory.put(eventAt(after))
  await time.pass(1000)
  const [first, , last] = before.messages
  t.strictSame(watch(feed, { lastId: first!.id }).seen(), ['event-000002', 'event-000003'])
  t.strictSame(watch(feed, { lastId: last!.id }).seen(), [])
  const filtered = watch(feed, { lastId: first!.id, filter: { prefix: 'none' } })
  t.strictSame(filtered.seen(), [])
})

t.test('a viewer that cannot resume receives a reset', async (t) => {
  const { feed, memory, time } = build({ ringSize: 2 })
  const before = watch(feed)
  await settled()
  for (let after = 1; after <= 5; after++) memory.put(eventAt(after))
  await time.pass(1000)
  const [first, , third] = before.messages
  t.strictSame(watch(feed, { lastId: third!.id }).seen(), ['event-000004', 'event-000005'])
  const [run] = first!.id.split('-')
  for (const lastId of [first!.id, `${run}-6`, `${run}-x`, `${run}`, 'other-1', 'nonsense']) {
    const viewer = watch(feed, { lastId })
    t.strictSame(viewer.seen(), ['reset'], lastId)
    const again = watch(feed, { lastId: viewer.messages[0]!.id })
    t.strictSame(again.seen(), [], 'and can resume from there')
  }
})

t.test('an old id gets a reset after a long time without viewers', async (t) => {
  const { feed, memory, time } = build()
  memory.put(eventAt(0))
  const first = watch(feed)
  await settled()
  first.leave()
  await time.pass(MINUTE)
  const soon = watch(feed, { lastId: first.messages[0]!.id })
  t.strictSame(soon.seen(), [])
  await settled()
  soon.leave()
  await time.pass(MINUTE + 1)
  const late = watch(feed, { lastId: first.messages[0]!.id })
  t.strictSame(watch(feed, { lastId: late.messages[0]!.id }).seen(), [], 'and can resume from there')
  const fresh = watch(feed)
  await settled()
  memory.put(eventAt(2 * MINUTE))
  await time.pass(1000)
  t.strictSame(late.seen(), ['reset', 'event-120000'])
  t.strictSame(fresh.seen(), ['event-120000'])
})

t.test('an unavailable journal is logged once and polled again each second', async (t) => {
  const { feed, memory, time, state, lines } = build()
  const viewer = watch(feed)
  await settled()
  state.isDown = true
  await time.pass(10_000)
  memory.put(eventAt(5000))
  state.isDown = false
  await time.pass(1000)
  t.strictSame(viewer.seen(), ['event-005000'])
  t.match(lines, [
    { level: 40, msg: 'live feed poll failed; retrying', err: { code: 'JOURNAL_UNAVAILABLE' } },
    { msg: 'live feed resumed' }
  ])
  t.equal(lines.length, 2)
})

t.test('viewers receive a reset after a long outage of the journal', async (t) => {
  const { feed, time, state } = build()
  const viewer = watch(feed)
  await settled()
  state.isDown = true
  await time.pass(MINUTE)
  state.isDown = false
  await time.pass(1000)
  t.strictSame(viewer.seen(), ['reset'])
  await time.pass(2000)
  t.equal(viewer.messages.length, 1)
})

t.test('a poll reads pages while they contain new events, up to a limit', async (t) => {
  const { feed, memory, time } = build()
  const viewer = watch(feed)
  await settled()
  for (let after = 1; after <= 250; after++) memory.put(eventAt(after))
  await time.pass(1000)
  t.equal(viewer.messages.length, 250)
  for (let after = 1; after <= 1001; after++) memory.put(eventAt(1000 + after))
  await time.pass(1000)
  t.equal(viewer.seen().at(250), 'reset')
})

t.test('polls do not overlap', async (t) => {
  const { time } = build()
  let calls = 0
  const answer = Promise.withResolvers<EventPage>()
  const feed = new LiveFeed({
    clock: time.clock,
    every: time.every,
    store: {
      list: () => {
        calls++
        return answer.promise
      }
    }
  })
  const viewer = watch(feed)
  await time.pass(5000)
  t.equal(calls, 1)
  viewer.leave()
  answer.reject(new Error('aborted'))
  await settled()
  t.equal(calls, 1, 'nor is a poll that was aborted repeated')
})

t.test('viewers beyond the limit are refused', async (t) => {
  const { feed } = build({ maximumViewers: 1 })
  const first = watch(feed)
  t.notOk(watch(feed).isIn)
  first.leave()
  t.ok(watch(feed).isIn)
  feed.close()
})

t.test('closing the feed closes the viewers', async (t) => {
  const { feed, time } = build()
  const viewer = watch(feed)
  feed.close()
  t.equal(viewer.ends(), 1)
  t.equal(time.timers, 0)
  t.notOk(watch(feed).isIn)
})
