import fc from 'fast-check'
import t from 'tap'
import { fitSms, fitSubject, fitTopic, printable } from '../../../../app/processors/notify/sns-limits.ts'
import { anyCharacter } from '../../../support/any-character.ts'

t.test('makes a subject a single line', async (t) => {
  t.equal(fitSubject(' Größe\r\nBcc: all\u2028 of\u0000\tthem '), 'Größe Bcc: all of them')
  t.equal(fitSubject(' \n'), undefined)
  t.equal(fitSubject(''), undefined)
})

t.test('cuts a subject to less than 100 characters', async (t) => {
  t.equal(fitSubject('x'.repeat(99)), 'x'.repeat(99))
  t.equal(fitSubject('x'.repeat(100)), `${'x'.repeat(98)}…`)
})

t.test('cuts a text message to 1600 characters', async (t) => {
  t.equal(fitSms('x'.repeat(1600)), 'x'.repeat(1600))
  t.equal(fitSms('x'.repeat(1601)), `${'x'.repeat(1599)}…`)
  t.equal(fitSms(`${'x'.repeat(1598)}👜👜`), `${'x'.repeat(1598)}…`, 'does not split a character')
  t.equal(fitSms(`${'x'.repeat(1597)}👜👜`), `${'x'.repeat(1597)}👜…`)
})

t.test('cuts the text for a topic to 256 KiB with attributes', async (t) => {
  t.equal(fitTopic('x'.repeat(262_144), 0), 'x'.repeat(262_144))
  t.equal(fitTopic('x'.repeat(262_145), 0), `${'x'.repeat(262_141)}…`)
  t.equal(fitTopic('x'.repeat(262_144), 100), `${'x'.repeat(262_041)}…`)
})

t.test('returns valid text for any cut', async () => {
  const long = fc.tuple(
    fc.string({ unit: anyCharacter, minLength: 1, maxLength: 5 }),
    fc.integer({ min: 0, max: 9 })
  )
  fc.assert(
    fc.property(long, ([piece, taken]) => {
      const text = printable(piece)
        .padEnd(2000, printable(piece) || 'x')
        .toWellFormed()
      const fitted = fitTopic(text, 262_144 - 1000 - taken)
      const line = fitSubject(text) ?? ''
      return (
        Buffer.byteLength(fitted) <= 1000 + taken &&
        Buffer.byteLength(fitted) > 990 &&
        [fitted, fitSms(text), line].every((cut) => cut.isWellFormed()) &&
        line.length <= 99
      )
    })
  )
})

t.test('removes characters that XML does not allow', async (t) => {
  t.equal(printable('a\u0000\u001b[b\tc\r\nd\ufffe\uffff'), 'a[b\tc\r\nd')
  t.equal(printable('\ud83d'), '\ufffd')
  t.equal(printable('ü👜'), 'ü👜')
})
