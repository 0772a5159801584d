import fc from 'fast-check'
import t from 'tap'
import {
  decodeRecord,
  encodeRecord,
  type QuarantineRecord
} from '../../../../app/processors/moderate/quarantine-record.ts'
import { anyCharacter } from '../../../support/any-character.ts'

t.test('reads what it wrote, and writes none of the characters that separate metadata', async (t) => {
  const text = fc.string({ minLength: 1, unit: anyCharacter })
  const records = fc.record(
    {
      by: fc.array(text, { minLength: 1 }),
      moved: fc.record({ from: fc.string({ unit: anyCharacter }), to: text }, { noNullPrototype: true }),
      access: text
    },
    { requiredKeys: ['by'], noNullPrototype: true }
  )
  fc.assert(
    fc.property(records, (record) => {
      const written = encodeRecord(record as QuarantineRecord)
      t.match(written, /^[\w.*+%=&-]+$/)
      t.strictSame(decodeRecord(written), record)
    }),
    { numRuns: 100 }
  )
})

t.test('does not take other values for a record', async (t) => {
  for (const value of [undefined, null, 7, '', 'a note of a person', 'from=a&to=b', 'by=&from=a']) {
    t.equal(decodeRecord(value), undefined)
  }
  t.strictSame(decodeRecord('by=manual&from=a'), { by: ['manual'] })
})
