import t from 'tap'
import { assetOf, count, lineOf } from '../../../app/commands/report-line.ts'
import { eventOf } from '../../support/operator.ts'

t.test('whatever the fields hold, it is one line, and nothing that a terminal obeys', async (t) => {
  t.equal(lineOf('a\nb\r\nc', '\u001b[31mred\u009b', 'd\u2028e\u202ef'), 'a b c   [31mred   d e f')
  t.equal(lineOf('  padded', 'é 😀'), '  padded  é 😀')
})

t.test('an asset is named as far as it is known', async (t) => {
  t.equal(assetOf(eventOf('e')), 'asset-of-e')
  t.equal(assetOf(eventOf('e', { asset: { assetId: 'f00d' } })), 'f00d')
  t.equal(assetOf(eventOf('e', { asset: null })), '(no asset)')
})

t.test('things are counted in English', async (t) => {
  t.equal(count(1, 'letter'), '1 letter')
  t.equal(count(0, 'letter'), '0 letters')
  t.equal(count(12_345, 'letter'), '12,345 letters')
})
