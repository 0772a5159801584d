import t from 'tap'
import { asFields } from '../../../app/processors/fields.ts'

t.test('returns objects, and undefined for other values', async (t) => {
  const fields = { a: 1 }
  t.equal(asFields(fields), fields)
  for (const value of [undefined, null, 'text', 7, true]) t.equal(asFields(value), undefined)
})
