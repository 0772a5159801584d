import t from 'tap'
import { runOf } from '../../../app/activity/replay-events.ts'
import type { ProcessorRecord, ProcessorRecords } from '../../../app/journal/processor-record.ts'
import { iso, NOW } from '../../support/activity.ts'

const record = (outcome: 'succeeded' | 'dead', change: Partial<ProcessorRecord> = {}): ProcessorRecord =>
  ({
    ...{ at: iso(NOW), attempts: 1, waits: 0, milliseconds: 1 },
    ...(outcome === 'dead' && { code: 'E1', message: 'no' }),
    ...change,
    outcome
  }) as ProcessorRecord

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
