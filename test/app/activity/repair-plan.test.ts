import t from 'tap'
import type { PageQuery } from '../../../app/activity/activity-store.ts'
import { type EventState, MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import { isRedrivable, planRepair } from '../../../app/activity/repair-plan.ts'
import type { Status } from '../../../app/journal/journal-entry.ts'
import type { ProcessorRecord } from '../../../app/journal/processor-record.ts'
import { eventAt, iso, listed, NOW } from '../../support/activity.ts'

const { signal } = new AbortController()

const record = (outcome: 'succeeded' | 'dead', change: Partial<ProcessorRecord> = {}): ProcessorRecord =>
  ({
    ...{ at: iso(NOW), attempts: 1, waits: 0, milliseconds: 1 },
    ...(outcome === 'dead' && { code: 'E1', message: 'no' }),
    ...change,
    outcome
  }) as ProcessorRecord

const ALL = { isWanted: () => true, signal }

t.test('events of one asset are in one lane, oldest first', async (t) => {
  const store = new MemoryActivityStore()
  const one = { assetId: 'one', publicId: 'a' }
  store.put(eventAt(1, { asset: one, occurredAt: iso(NOW + 50) }))
  store.put(eventAt(2, { asset: { ...one, publicId: 'renamed' }, occurredAt: iso(NOW + 10) }))
  store.put(eventAt(3, { asset: { publicId: 'a' } }))
  store.put(eventAt(4, { asset: { publicId: 'a' }, environment: 'other' }))
  store.put(eventAt(6, { asset: null, occurredAt: iso(NOW) }))
  store.put(eventAt(5, { asset: null, occurredAt: iso(NOW) }))
  const plan = await planRepair({ filter: {} }, { ...ALL, store })
  t.equal(plan.total, 6)
  t.strictSame(plan.lanes.map((lane) => lane.join(' ')).sort(), [
    'event-000002 event-000001',
    'event-000003',
    'event-000004',
    'event-000005 event-000006'
  ])
})

t.test('a filter selects events from all pages, with any search limit', async (t) => {
  const store = new MemoryActivityStore(70)
  for (let after = 1; after <= 450; after++) store.put(eventAt(after))
  store.put(eventAt(1), { status: 'dead' })
  t.equal((await planRepair({ filter: {} }, { ...ALL, store })).total, 450)
  t.equal((await planRepair({ filter: { status: ['dead'] } }, { ...ALL, store })).total, 1)
})

t.test('a repeated id is one event, and an unknown id is reported', async (t) => {
  const store = new MemoryActivityStore()
  store.put(eventAt(1))
  const ids = ['event-000001', 'other', 'event-000001']
  const plan = await planRepair({ ids }, { ...ALL, store })
  t.strictSame(plan, { total: 1, lanes: [['event-000001']], unknown: ['other'] })
})

t.test('an aborted selection is rejected', async (t) => {
  const store = new MemoryActivityStore()
  store.put(eventAt(1))
  const options = { ...ALL, store, signal: AbortSignal.abort(new Error('gone')) }
  await t.rejects(planRepair({ ids: ['event-000001'] }, options), { message: 'gone' })
  await t.rejects(planRepair({ filter: {} }, options), { message: 'gone' })
})

t.test('selects only failed events if only failed processors run', async (t) => {
  const store = new MemoryActivityStore()
  const states: [EventState, boolean][] = [
    [{ processors: { a: record('succeeded') } }, false],
    [{ status: 'ignored' }, false],
    [{ status: 'discarded', processors: { b: record('dead') } }, false],
    [{ status: 'dead' }, true],
    [{ status: 'retrying' }, true],
    [{ processors: { a: record('succeeded'), b: record('dead') } }, true]
  ]
  states.forEach(([state], index) => void store.put(eventAt(index), state))
  const { lanes } = await planRepair({ filter: {} }, { isWanted: isRedrivable, signal, store })
  t.strictSame(
    lanes.flat().sort(),
    states.flatMap(([, isSelected], index) => (isSelected ? [eventAt(index).id] : []))
  )
  t.ok(
    isRedrivable({
      status: 'processing',
      processors: { a: { ...record('dead'), outcome: 'started' } } as never
    })
  )
})

t.test('too many events are refused', async (t) => {
  const event = await listed(eventAt(1))
  let page = 0
  const list = async () => ({
    events: Array.from({ length: 10_000 }, (_, index) => ({ ...event, id: `${page}-${index}` })),
    older: String(++page)
  })
  const store = { list, unfinished: list, find: async () => undefined }
  await t.rejects(planRepair({ filter: {} }, { ...ALL, store }), { code: 'REPLAY_TOO_LARGE' })
})

t.test('reads unfinished events from their indexes, and no status selects nothing', async (t) => {
  const store = new MemoryActivityStore()
  store.put(eventAt(1), { status: 'dead' })
  store.put(eventAt(2), { status: 'retrying' })
  store.put(eventAt(3), { status: 'done' })
  let lists = 0
  const counting = {
    find: store.find.bind(store),
    unfinished: store.unfinished.bind(store),
    list: (query: PageQuery) => {
      lists++
      return store.list(query)
    }
  }
  const select = async (status: readonly Status[]) =>
    (await planRepair({ filter: { status } }, { ...ALL, store: counting })).total
  t.equal(await select(['dead', 'retrying']), 2)
  t.equal(await select(['dead']), 1)
  t.equal(await select([]), 0)
  t.equal(lists, 0)
  t.equal(await select(['dead', 'done']), 2)
  t.equal(lists, 1)
})

t.test('reads ids some at a time', async (t) => {
  const store = new MemoryActivityStore()
  const ids = Array.from({ length: 20 }, (_, after) => eventAt(after).id)
  for (let after = 0; after < 20; after++) store.put(eventAt(after))
  const plan = await planRepair({ ids: [...ids, 'gone'] }, { ...ALL, store })
  t.equal(plan.total, 20)
  t.strictSame(plan.unknown, ['gone'])
})
