import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import {
  decodeRecord,
  encodeRecord,
  MAX_RECORD,
  type QuarantineRecord
} from '../../../../app/processors/moderate/quarantine-record.ts'
import { anyCharacter } from '../../../support/any-character.ts'

t.test('reads what it wrote, and writes none of the characters that separate metadata', async (t) => {
  const text = fc.string({ minLength: 1, maxLength: 20, unit: anyCharacter })
  const records = fc.record(
    {
      by: fc.array(text, { minLength: 1, maxLength: 3 }),
      moved: fc.record(
        { from: fc.string({ maxLength: 20, unit: anyCharacter }), to: text },
        { noNullPrototype: true }
      ),
      access: text,
      lost: fc.constant(true)
    },
    { requiredKeys: ['by'], noNullPrototype: true }
  )
  fc.assert(
    fc.property(records, (record) => {
      const written = encodeRecord(record as QuarantineRecord)
      t.match(written, /^[\w.*+%=&-]+$/)
      const short = { by: record.by, lost: true }
      t.ok([record, short].some((expected) => isDeepStrictEqual(decodeRecord(written), expected)))
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

t.test(
  'a record that is too long keeps who rejected the asset, and says that the rest is lost',
  async (t) => {
    const record = { by: ['aws_rek'], moved: { from: 'a', to: 'b' }, access: '' }
    const room = MAX_RECORD - encodeRecord(record).length
    const longest = { ...record, access: 'x'.repeat(room) }
    t.equal(encodeRecord(longest).length, MAX_RECORD)
    t.strictSame(decodeRecord(encodeRecord(longest)), longest)
    const tooLong = encodeRecord({ ...record, access: 'x'.repeat(room + 1) })
    t.strictSame(decodeRecord(tooLong), { by: ['aws_rek'], lost: true })
  }
)
