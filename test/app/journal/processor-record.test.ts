import t from 'tap'
import { cutTexts } from '../../../app/journal/processor-record.ts'

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
