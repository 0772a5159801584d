import t from 'tap'
import { type EventState, MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import { hasFailed, planRepair } from '../../../app/activity/repair-plan.ts'
import type { ProcessorRecord, ProcessorRecords } from '../../../app/journal/processor-record.ts'
import { eventAt, iso, listed, NOW } from '../../support/activity.ts'

const { signal } = new AbortController()

const record = (outcome: 'succeeded' | 'dead', change: Partial<ProcessorRecord> = {}): ProcessorRecord =>
  ({
    ...{ at: iso(NOW), attempts: 1, waits: 0, milliseconds: 1 },
    ...(outcome === 'dead' && { code: 'E1', message: 'no' }),
    ...change,
    outcome
  }) as ProcessorRecord

const ALL = { failedOnly: false, signal }

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
    [{ status: 'dead' }, true],
    [{ status: 'retrying' }, true],
    [{ processors: { a: record('succeeded'), b: record('dead') } }, true]
  ]
  states.forEach(([state], index) => void store.put(eventAt(index), state))
  const { lanes } = await planRepair({ filter: {} }, { failedOnly: true, signal, store })
  t.strictSame(
    lanes.flat().sort(),
    states.flatMap(([, isSelected], index) => (isSelected ? [eventAt(index).id] : []))
  )
  t.ok(
    hasFailed({ status: 'processing', processors: { a: { ...record('dead'), outcome: 'started' } } as never })
  )
})

t.test('too many events are refused', async (t) => {
  const event = await listed(eventAt(1))
  let page = 0
  const list = async () => ({
    events: Array.from({ length: 10_000 }, (_, index) => ({ ...event, id: `${page}-${index}` })),
    older: String(++page)
  })
  const store = { list, find: async () => undefined }
  await t.rejects(planRepair({ filter: {} }, { ...ALL, store }), { code: 'REPLAY_TOO_LARGE' })
})

t.test('a run with all processors is a replay, one with the failed ones a redrive', async (t) => {
  const processors: ProcessorRecords = { a: record('succeeded'), b: record('dead') }
  t.strictSame(runOf('r1', false, { processors }), { kind: 'replay', id: 'r1' })
  t.strictSame(runOf('r1', true, { processors }), { kind: 'redrive', id: 'r1' })
})

t.test('a redrive of events that failed in a replay belongs to that replay', async (t) => {
  const processors: ProcessorRecords = {
    a: record('succeeded', { replay: 'r9', at: iso(NOW + 9) }),
    b: record('dead', { replay: 'r2', at: iso(NOW + 2) }),
    c: record('dead', { replay: 'r1', at: iso(NOW + 1) })
  }
  t.strictSame(runOf('r3', true, { processors }), { kind: 'redrive', id: 'r3', replay: 'r2' })
  const { a, b, c } = processors
  const reversed = { processors: { c: c!, b: b!, a: a! } }
  t.strictSame(runOf('r3', true, reversed), { kind: 'redrive', id: 'r3', replay: 'r2' })
})
