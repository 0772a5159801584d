import fc from 'fast-check'
import t from 'tap'
import type { AssetEvent } from '../../../app/ingest/event.ts'
import type { JournalEntry, Status } from '../../../app/journal/journal-entry.ts'
import type { ProcessorRecord, ProcessorRecords } from '../../../app/journal/processor-record.ts'
import type { Processor } from '../../../app/listener.ts'
import { planAttempt, startRecordOf } from '../../../app/worker/attempt-plan.ts'
import { sampleEvent } from '../../support/events.ts'

const NOW = Date.parse('2026-06-01T12:00:10.000Z')
const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString()
const event = sampleEvent('upload')
const redrive: AssetEvent = { ...event, run: { kind: 'redrive', id: 'r1' } }

const processor = (name: string): Processor => ({ name, on: ['*'], handle: () => {} })
const [a, b, c] = [processor('a'), processor('b'), processor('c')]

const ran = { at: at(-60), milliseconds: 5, attempts: 1, waits: 0 }
const succeeded: ProcessorRecord = { ...ran, outcome: 'succeeded' }
const dead: ProcessorRecord = { ...ran, outcome: 'dead', code: 'GONE', message: 'gone' }
const failed = (seconds: number): ProcessorRecord => ({
  ...ran,
  outcome: 'failed',
  code: 'E',
  message: 'not yet',
  notBefore: at(seconds)
})
const crashed = (attempts: number): ProcessorRecord => ({
  outcome: 'started',
  at: at(-60),
  attempts,
  waits: 0
})

const entry = (processors: ProcessorRecords, status: Status = 'retrying', run?: string): JournalEntry => ({
  status,
  attempts: 1,
  processors,
  ...(run && { run })
})

const namesOf = (plan: ReturnType<typeof planAttempt>) =>
  plan.outcome === 'due' ? plan.due.map(({ name }) => name) : plan

t.test('a new event makes all processors due and starts the first', async (t) => {
  t.strictSame(planAttempt(event, [a, b], undefined, NOW), {
    outcome: 'due',
    event,
    due: [a, b],
    started: { a: { outcome: 'started', at: at(0), attempts: 1, waits: 0 } }
  })
})

t.test('a finished event runs again only for a redrive or replay', async (t) => {
  for (const status of ['done', 'dead', 'ignored'] as const) {
    t.strictSame(planAttempt(event, [a], entry({ a: dead }, status), NOW), { outcome: 'finished' })
    t.strictSame(namesOf(planAttempt(redrive, [a], entry({ a: dead }, status), NOW)), ['a'])
    t.strictSame(planAttempt(redrive, [a], entry({ a: dead }, status, 'r1'), NOW), { outcome: 'finished' })
  }
})

t.test('each processor has its own retry time', async (t) => {
  const records = { a: failed(3600), b: failed(-1), c: succeeded }
  t.strictSame(namesOf(planAttempt(event, [a, b, c], entry(records), NOW)), ['b'])
  t.strictSame(namesOf(planAttempt(event, [a, b, c], entry({ ...records, b: failed(0) }), NOW)), ['b'])
})

t.test('an event waits until its first processor is due', async (t) => {
  const records = { a: failed(86_400), b: failed(30), c: dead }
  t.strictSame(planAttempt(event, [a, b, c], entry(records), NOW), {
    outcome: 'waiting',
    until: NOW + 30_000
  })
})

t.test('a redrive belongs to the last replay of the event', async (t) => {
  const redriveOf = (replay?: string): AssetEvent => ({
    ...event,
    run: { kind: 'redrive', id: 'r9', ...(replay && { replay }) }
  })
  const reopened = (kind: 'redrive' | 'replay', run: string) => ({ kind, run, at: at(-60) })
  const known = {
    ...entry(
      { a: { ...succeeded, run: 'p2', replay: 'p2' }, b: { ...dead, run: 'p2', replay: 'p2' } },
      'dead'
    ),
    replays: [reopened('replay', 'p1'), reopened('replay', 'p2'), reopened('redrive', 'r1')]
  }
  const planned = (replay?: string) => {
    const plan = planAttempt(redriveOf(replay), [a, b], known, NOW)
    return plan.outcome === 'due' ? [plan.event.run, plan.due] : plan
  }
  t.strictSame(planned('p1'), [{ kind: 'redrive', id: 'r9', replay: 'p2' }, [b]])
  t.strictSame(planned('p2'), [{ kind: 'redrive', id: 'r9', replay: 'p2' }, [b]])
  t.strictSame(planned(), [{ kind: 'redrive', id: 'r9', replay: 'p2' }, [b]], 'older than any replay')
  t.strictSame(planned('p3'), [{ kind: 'redrive', id: 'r9', replay: 'p3' }, [a, b]], 'p3 never started')
  t.strictSame(namesOf(planAttempt(redriveOf('p1'), [a, b], undefined, NOW)), ['a', 'b'])
})

t.test('a redrive does not wait', async (t) => {
  t.strictSame(namesOf(planAttempt(redrive, [a], entry({ a: failed(3600) }), NOW)), ['a'])
})

t.test('no processor is due if the pending ones are no longer configured', async (t) => {
  const records = { a: failed(3600), b: succeeded }
  t.strictSame(planAttempt(event, [b], entry(records), NOW), {
    outcome: 'due',
    event,
    due: [],
    started: {}
  })
})

t.test('a crash counts as an attempt, and after the last one the processor does not start', async (t) => {
  const second = planAttempt(event, [a, b], entry({ a: crashed(1) }, 'processing'), NOW)
  t.match(second, { due: [a, b], started: { a: { attempts: 2 } } })
  const last = planAttempt(event, [a, b], entry({ a: crashed(12) }, 'processing'), NOW)
  t.strictSame(last, { outcome: 'due', event, due: [a, b], started: {} })
  t.match(planAttempt(redrive, [a], entry({ a: crashed(12) }, 'processing'), NOW), {
    started: { a: { attempts: 1, run: 'r1' } }
  })
})

t.test('a processor can be named `constructor`', async (t) => {
  t.match(startRecordOf(event, processor('constructor'), {}, NOW), { constructor: { attempts: 1 } })
  t.strictSame(startRecordOf(event, undefined, {}, NOW), {})
})

t.test('each processor is either due, finished or waiting, for any records', async () => {
  const anyRecord = fc.option(
    fc.oneof(fc.constantFrom(succeeded, dead, crashed(3)), fc.integer({ min: -100, max: 100 }).map(failed)),
    { nil: undefined }
  )
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 5 }), (records) => {
      const processors = records.map((_, index) => processor(`p${index}`))
      const known = Object.fromEntries(
        records.flatMap((record, index) => (record ? [[`p${index}`, record] as const] : []))
      )
      const plan = planAttempt(event, processors, entry(known), NOW)
      const isEnded = (record?: ProcessorRecord) => record === succeeded || record === dead
      const isEarly = (record?: ProcessorRecord) =>
        record?.outcome === 'failed' && Date.parse(record.notBefore) > NOW
      if (plan.outcome === 'waiting') {
        return records.every((record) => isEnded(record) || isEarly(record)) && plan.until > NOW
      }
      return (
        plan.outcome === 'due' &&
        processors.every(
          (one, index) => plan.due.includes(one) !== (isEnded(records[index]) || isEarly(records[index]))
        )
      )
    })
  )
})

t.test('only a replay runs a discarded event again', async (t) => {
  const discarded = entry({ a: succeeded, b: dead }, 'discarded')
  const replay: AssetEvent = { ...event, run: { kind: 'replay', id: 'r2' } }
  t.match(planAttempt(event, [a, b], discarded, NOW), { outcome: 'finished' })
  t.match(planAttempt(redrive, [a, b], discarded, NOW), { outcome: 'finished' })
  t.match(planAttempt(replay, [a, b], discarded, NOW), { outcome: 'due', due: [a, b] })
})
