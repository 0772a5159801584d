import t from 'tap'
import { singleLine } from '../../../app/processors/single-line.ts'

t.test('replaces line breaks and control characters, and trims', async (t) => {
  t.equal(singleLine(' a\r\n\tb\u0000\u2028c\u0085 '), 'a b c')
  t.equal(singleLine('größe 😀'), 'größe 😀')
})
