import t from 'tap'
import { completeRecords, cutTexts, type ProcessorRecords } from '../../../app/journal/processor-record.ts'

t.test('texts are cut to 500 characters, and what is undefined is left out', async (t) => {
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

t.test('records of an earlier release are completed, and others stay as they are', async (t) => {
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
