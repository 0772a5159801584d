import t from 'tap'
import { MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import { countEvents } from '../../../app/activity/repair-count.ts'
import { eventAt, NOW } from '../../support/activity.ts'

const options = { signal: new AbortController().signal, clock: () => NOW }

t.test('counts all, failed and dead events in one pass', async (t) => {
  const store = new MemoryActivityStore()
  for (let after = 1; after <= 450; after++) store.put(eventAt(after))
  store.put(eventAt(1), { status: 'dead' })
  store.put(eventAt(2), { status: 'retrying' })
  let pages = 0
  const { list } = store
  store.list = (query) => {
    pages++
    return list.call(store, query)
  }
  const counts = await countEvents({ filter: {} }, { ...options, store })
  t.strictSame(counts, { all: 450, failed: 2, dead: 1, isComplete: true })
  t.equal(pages, 3)
  t.strictSame(await countEvents({ filter: { status: ['dead'] } }, { ...options, store }), {
    ...{ all: 1, failed: 1, dead: 1, isComplete: true }
  })
  t.match(await countEvents({ ids: ['event-000001', 'gone'] }, { ...options, store }), { all: 1 })
})

t.test('stops at a number of events', async (t) => {
  const store = new MemoryActivityStore()
  for (let after = 1; after <= 450; after++) store.put(eventAt(after))
  const count = (maximumEvents: number) => countEvents({ filter: {} }, { ...options, store, maximumEvents })
  t.match(await count(300), { all: 300, isComplete: false })
  t.match(await count(450), { all: 450, isComplete: true })
})

t.test('stops after a time, even if the filter finds nothing', async (t) => {
  const store = new MemoryActivityStore(10)
  for (let after = 1; after <= 450; after++) store.put(eventAt(after))
  let now = NOW
  const clock = () => (now += 100)
  const counts = await countEvents(
    { filter: { prefix: 'nothing' } },
    { ...options, store, clock, withinMs: 1000 }
  )
  t.strictSame(counts, { all: 0, failed: 0, dead: 0, isComplete: false })
})

t.test('counts an event once that changes between two indexes', async (t) => {
  const store = new MemoryActivityStore()
  store.put(eventAt(1), { status: 'dead' })
  const { unfinished } = store
  store.unfinished = (_status, { filter: _, ...query }) =>
    unfinished.call(store, 'dead', { ...query, filter: {} })
  t.match(await countEvents({ filter: { status: ['dead', 'retrying'] } }, { ...options, store }), { all: 1 })
})
