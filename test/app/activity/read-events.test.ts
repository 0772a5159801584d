import t from 'tap'
import { parseListQuery } from '../../../app/activity/event-filter.ts'
import { MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import { readEvents } from '../../../app/activity/read-events.ts'
import { eventAt } from '../../support/activity.ts'

const { signal } = new AbortController()

t.test('unfinished events are read from their own index', async (t) => {
  // one call searches one event, so a search of the whole list would not reach the older, dead event
  const store = new MemoryActivityStore(1)
  store.put(eventAt(1), { status: 'dead' })
  store.put(eventAt(2))
  for (const query of [{ view: 'dead' }, { status: 'dead' }]) {
    t.match(await readEvents(store, parseListQuery(query), signal), { events: [{ id: 'event-000001' }] })
  }
  const failed = await readEvents(store, parseListQuery({ view: 'failed' }), signal)
  t.match(failed, { events: [], searchedTo: String })
})

t.test('continues from a cursor', async (t) => {
  const store = new MemoryActivityStore()
  for (const after of [1, 2, 3]) store.put(eventAt(after))
  const { older } = await readEvents(store, parseListQuery({ limit: 2 }), signal)
  const next = await readEvents(store, parseListQuery({ cursor: older }), signal)
  t.match(next.events, [{ id: 'event-000001' }])
  const back = parseListQuery({ cursor: next.newer, direction: 'newer' })
  t.equal((await readEvents(store, back, signal)).events.length, 2)
})
