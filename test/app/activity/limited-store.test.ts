import t from 'tap'
import type { ActivityStore } from '../../../app/activity/activity-store.ts'
import { limitStore } from '../../../app/activity/limited-store.ts'
import { MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import { eventAt, iso, NOW, settled } from '../../support/activity.ts'

const { signal } = new AbortController()

/** A store whose `find` waits until it is released. */
function slowStore() {
  const asked: { id: string; answer: () => void }[] = []
  const store = Object.assign(new MemoryActivityStore(), {
    find: (id: string) =>
      new Promise<undefined>((resolve) => asked.push({ id, answer: () => resolve(undefined) }))
  })
  return { store: store as ActivityStore, asked }
}

t.test('forwards every call', async (t) => {
  const store = new MemoryActivityStore()
  store.put(eventAt(1, { group: 'mine' }), { status: 'dead' })
  const limited = limitStore(store)
  const query = { filter: {}, limit: 1, signal }
  for (const { events } of [
    await limited.list(query),
    await limited.history('mine', query),
    await limited.unfinished('dead', query)
  ]) {
    t.match(events, [{ id: 'event-000001' }])
  }
  t.match(await limited.find('event-000001'), { status: 'dead' })
  t.strictSame(await limited.minutes(iso(NOW), iso(NOW), signal), [])
  t.equal(await limited.queue(signal), undefined)
  t.strictSame(await limited.refused(signal), [])
})

t.test('calls beyond the limit wait for their turn, and those beyond that are refused', async (t) => {
  const { store, asked } = slowStore()
  const limited = limitStore(store, { maximumCalls: 2, maximumWaiting: 1 })
  const calls = ['a', 'b', 'c'].map((id) => limited.find(id))
  await t.rejects(limited.find('d'), { code: 'OVERLOADED' })
  t.strictSame(
    asked.map(({ id }) => id),
    ['a', 'b']
  )
  asked[0]!.answer()
  await calls[0]
  await settled()
  t.equal(asked[2]?.id, 'c')
  for (const { answer } of asked) answer()
  await Promise.all(calls)
  const more = [limited.find('e'), limited.find('f')]
  await settled()
  t.equal(asked.length, 5, 'all places are free again')
  for (const { answer } of asked) answer()
  await Promise.all(more)
})

t.test('a call that fails frees its place', async (t) => {
  const store = new MemoryActivityStore()
  store.find = async () => {
    throw new Error('down')
  }
  const limited = limitStore(store, { maximumCalls: 1, maximumWaiting: 0 })
  await t.rejects(limited.find('a'), { message: 'down' })
  t.strictSame(await limited.refused(signal), [])
})

t.test('a client that disconnects loses its place in the queue', async (t) => {
  const { store, asked } = slowStore()
  const limited = limitStore(store, { maximumCalls: 1, maximumWaiting: 1 })
  const first = limited.find('a')
  const client = new AbortController()
  const waiting = limited.queue(client.signal)
  client.abort(new Error('gone'))
  await t.rejects(waiting, { message: 'gone' })
  await t.rejects(limited.queue(client.signal), { message: 'gone' }, 'nor does it get another')
  const next = limited.queue(signal)
  asked[0]!.answer()
  await first
  t.equal(await next, undefined)
})
