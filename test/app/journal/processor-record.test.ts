import t from 'tap'
import {
  completeRecords,
  cutRecords,
  cutTexts,
  type ProcessorRecords,
  recordNamed
} from '../../../app/journal/processor-record.ts'

t.test('truncates texts to 500 characters, and omits undefined fields', async (t) => {
  t.strictSame(
    cutTexts({
      long: 'a'.repeat(1000),
      torn: `${'a'.repeat(499)}😀`,
      empty: '',
      none: undefined,
      attempts: 3
    }),
    { long: 'a'.repeat(500), torn: `${'a'.repeat(499)}\ufffd`, empty: '', attempts: 3 } as object
  )
})

t.test('completes the records of an earlier release', async (t) => {
  const at = '2026-06-01T12:00:00.000Z'
  const old = { at, milliseconds: 5 }
  const failed = { ...old, outcome: 'failed', code: 'E', message: 'not yet' }
  const records = { a: { ...old, outcome: 'succeeded' }, b: failed } as unknown as ProcessorRecords
  const complete: ProcessorRecords = {
    a: { ...old, outcome: 'succeeded', attempts: 0, waits: 0 },
    b: { ...old, outcome: 'failed', code: 'E', message: 'not yet', attempts: 0, waits: 0, notBefore: at }
  }
  t.strictSame(completeRecords(records), complete)
  t.strictSame(completeRecords(complete), complete)
})

t.test('truncates the texts of each record', async (t) => {
  const at = '2026-06-01T12:00:00.000Z'
  const note = 'a'.repeat(501)
  const record = { outcome: 'succeeded', at, milliseconds: 5, attempts: 1, waits: 0 } as const
  t.strictSame(cutRecords({ a: { ...record, note } }), { a: { ...record, note: note.slice(1) } })
})

t.test('finds the record of a processor with any name', async (t) => {
  const record = { outcome: 'started', at: '', attempts: 1, waits: 0 } as const
  t.equal(recordNamed({ tag: record }, 'tag'), record)
  t.equal(recordNamed({}, 'constructor'), undefined)
  t.equal(recordNamed(undefined, 'tag'), undefined)
})
