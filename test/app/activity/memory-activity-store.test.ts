import t from 'tap'
import type { ActivityFilter, PageQuery } from '../../../app/activity/activity-store.ts'
import { MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import { eventAt, iso, NOW } from '../../support/activity.ts'

const { signal } = new AbortController()
const ABORTED = AbortSignal.abort(new Error('gone'))

const query = (change: Partial<PageQuery> = {}): PageQuery => ({ filter: {}, limit: 2, signal, ...change })

/** A store with events received 1 ms to `count` ms after NOW. */
function storeOf(count: number, searchedEvents?: number): MemoryActivityStore {
  const store = new MemoryActivityStore(searchedEvents)
  for (let after = 1; after <= count; after++) store.put(eventAt(after))
  return store
}

const times = ({ events }: { events: readonly { receivedAt: string }[] }) =>
  events.map(({ receivedAt }) => Date.parse(receivedAt) - NOW)

t.test('pages from the newest to the oldest and back', async (t) => {
  const store = storeOf(5)
  const first = await store.list(query())
  t.strictSame(times(first), [5, 4])
  t.equal(first.newer, undefined)
  const second = await store.list(query({ cursor: first.older! }))
  t.strictSame(times(second), [3, 2])
  const third = await store.list(query({ cursor: second.older! }))
  t.strictSame(times(third), [1])
  t.equal(third.older, undefined)
  const back = await store.list(query({ cursor: third.newer!, direction: 'newer' }))
  t.strictSame(times(back), [3, 2])
  const start = await store.list(query({ cursor: back.newer!, direction: 'newer' }))
  t.strictSame(times(start), [5, 4])
  t.equal(start.newer, undefined)
  t.strictSame(times(await store.list(query({ cursor: start.older! }))), [3, 2])
})

t.test('new events do not affect paging', async (t) => {
  const store = storeOf(4)
  const { older } = await store.list(query())
  store.put(eventAt(9))
  t.strictSame(times(await store.list(query({ cursor: older! }))), [2, 1])
})

t.test('an event replaces an earlier one with the same id', async (t) => {
  const store = storeOf(1)
  store.put(eventAt(1), { status: 'dead' })
  const { events } = await store.list(query())
  t.match(events, [{ status: 'dead' }])
  t.equal(events.length, 1)
})

t.test('a search stops at its limit, returns the time it reached, and can resume', async (t) => {
  const store = storeOf(10, 3)
  store.put(eventAt(2), { status: 'dead' })
  const filter: ActivityFilter = { status: ['dead'] }
  const first = await store.list(query({ filter }))
  t.match(first, { events: [], searchedTo: iso(NOW + 8), older: String })
  const second = await store.list(query({ filter, cursor: first.older! }))
  t.match(second, { events: [], searchedTo: iso(NOW + 5) })
  const third = await store.list(query({ filter, cursor: second.older! }))
  t.strictSame(times(third), [2])
  t.match(third, { searchedTo: iso(NOW + 2), newer: String })
  const last = await store.list(query({ filter, cursor: third.older! }))
  t.match(last, { events: [], older: undefined, searchedTo: undefined })
})

t.test('a list has no payloads, and one event has all fields', async (t) => {
  const store = new MemoryActivityStore()
  const event = eventAt(1, { run: { kind: 'replay', id: 'r1' }, reconciled: true })
  store.put(event, { storedAt: iso(NOW) })
  const [listed] = (await store.list(query())).events
  t.strictSame(
    Object.keys(listed ?? {}).filter((name) => ['payload', 'history', 'storedAt'].includes(name)),
    []
  )
  t.match(listed, { id: event.id, run: 'r1', source: 'reconcile', status: 'done' })
  t.match(await store.find(event.id), { payload: event.payload, history: [], storedAt: iso(NOW) })
  t.equal(await store.find('other'), undefined)
})

t.test('the history of an asset is its message group', async (t) => {
  const store = storeOf(2)
  store.put(eventAt(7, { group: 'mine' }))
  store.put(eventAt(8, { group: 'mine' }))
  t.strictSame(times(await store.history('mine', { limit: 5, signal })), [8, 7])
})

t.test('unfinished events are listed by status', async (t) => {
  const store = storeOf(3, 2)
  store.put(eventAt(1), { status: 'dead' })
  store.put(eventAt(2), { status: 'retrying' })
  t.strictSame(times(await store.unfinished('dead', query())), [1], 'whatever lies between')
  t.strictSame(times(await store.unfinished('retrying', query())), [2])
  t.strictSame(times(await store.unfinished('dead', query({ filter: { text: 'no such text' } }))), [])
})

t.test('the journal returns whole events', async (t) => {
  const store = storeOf(1)
  store.put(eventAt(2), { status: 'dead', run: 'r1' })
  t.match(await store.journal.find('event-000001'), { event: eventAt(1), status: 'done', run: undefined })
  t.match(await store.journal.find('event-000002'), { status: 'dead', run: 'r1' })
  t.equal(await store.journal.find('other'), undefined)
})

t.test('returns minutes, a sample of the queue and refused notifications', async (t) => {
  const store = new MemoryActivityStore()
  t.equal(await store.queue(signal), undefined)
  const minute = (minutes: number) => ({
    minute: iso(NOW + minutes * 60_000),
    accepted: 1,
    refused: {},
    done: 1,
    retried: 0,
    dead: 0,
    ignored: 0,
    processors: {},
    acknowledge: undefined,
    endToEnd: undefined
  })
  store.minuteCounts.push(minute(2), minute(0), minute(1), minute(9))
  t.strictSame(await store.minutes(iso(NOW), iso(NOW + 120_000), signal), [minute(0), minute(1), minute(2)])
  for (let at = 0; at < 101; at++) {
    store.refusedSamples.push({ at: iso(NOW + at), code: 'SIGNATURE_INVALID', headers: {} })
  }
  const refused = await store.refused(signal)
  t.equal(refused.length, 100)
  t.equal(refused[0]?.at, iso(NOW + 100))
  store.queueSample = { at: iso(NOW), waiting: 1, inFlight: 2, deadLetters: 3, breakerOpen: false }
  t.match(await store.queue(signal), { waiting: 1 })
})

t.test('an aborted call is rejected', async (t) => {
  const store = storeOf(1)
  await t.rejects(store.list(query({ signal: ABORTED })), { message: 'gone' })
  await t.rejects(store.history('g', { limit: 1, signal: ABORTED }), { message: 'gone' })
  await t.rejects(store.unfinished('dead', query({ signal: ABORTED })), { message: 'gone' })
  await t.rejects(store.minutes('', '', ABORTED), { message: 'gone' })
  await t.rejects(store.queue(ABORTED), { message: 'gone' })
  await t.rejects(store.refused(ABORTED), { message: 'gone' })
})

t.test('discards a dead event once', async (t) => {
  const store = new MemoryActivityStore()
  store.put(eventAt(1), { status: 'dead' })
  const discard = { by: 'anna', at: iso(NOW), from: 'page', reason: 'gone' } as const
  t.equal(await store.discardEvent(eventAt(1).id, discard), true)
  t.match(await store.find(eventAt(1).id), { status: 'discarded', discarded: discard })
  t.equal(await store.discardEvent(eventAt(1).id, discard), false)
  t.equal(await store.discardEvent('unknown', discard), false)
})
