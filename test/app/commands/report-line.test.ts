import t from 'tap'
import { assetOf, count, isoOf, lineOf, numberOf } from '../../../app/commands/report-line.ts'
import { eventOf } from '../../support/operator.ts'

t.test('prints one line without control codes', async (t) => {
  t.equal(lineOf('a\nb\r\nc', '\u001b[31mred\u009b', 'd\u2028e\u202ef'), 'a b c   [31mred   d e f')
  t.equal(lineOf('  padded', 'é 😀'), '  padded  é 😀')
})

t.test('names the asset by its public ID, or its asset ID', async (t) => {
  t.equal(assetOf(eventOf('e')), 'asset-of-e')
  t.equal(assetOf(eventOf('e', { asset: { assetId: 'f00d' } })), 'f00d')
  t.equal(assetOf(eventOf('e', { asset: null })), '(no asset)')
})

t.test('formats counts, numbers and times', async (t) => {
  t.equal(count(1, 'event'), '1 event')
  t.equal(count(0, 'event'), '0 events')
  t.equal(count(12_345, 'event'), '12,345 events')
  t.equal(numberOf(12_345), '12,345')
  t.equal(isoOf(1_780_315_200_000), '2026-06-01T12:00:00.000Z')
})
