import fc from 'fast-check'
import t from 'tap'
import { Html, html, joined } from '../../../../app/activity/pages/html.ts'
import { HOSTILE } from '../../../support/activity-events.ts'
import { anyCharacter } from '../../../support/any-character.ts'

t.test('escapes values in texts and attributes', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: anyCharacter }), fc.constant(HOSTILE)), (value) => {
      const text = html`<p title="${value}" class="a ${value}">${value}</p>`.toString()
      const parts = /^<p title="([^"]*)" class="a ([^"]*)">([\s\S]*)<\/p>$/.exec(text)?.slice(1)
      return parts?.every((part) => !/[<>"']/.test(part)) === true
    })
  )
})

t.test('does not escape markup made by html again', async (t) => {
  const item = html`<li>${'<'}</li>`
  t.equal(html`<ul>${[item, [item]]}</ul>`.toString(), '<ul><li>&#60;</li><li>&#60;</li></ul>')
  t.ok(item instanceof Html)
})

t.test('omits undefined, null and false, but not zero', async (t) => {
  t.equal(html`a${undefined}b${null}c${false}d${0}`.toString(), 'abcd0')
})

t.test('an exclamation mark does not switch escaping off', async (t) => {
  t.equal(html`Wait!${'<b>'}`.toString(), 'Wait!&#60;b&#62;')
})

t.test('makes deceptive characters visible', async (t) => {
  t.equal(html`<b>${'\u202egpj.exe\u0000\u200b'}</b>`.toString(), '<b>\\u202egpj.exe\\u0000\\u200b</b>')
  t.equal(html`<b>${'line\n\tnext \u200d'}</b>`.toString(), '<b>line\n\tnext \u200d</b>')
  t.equal(html`<input value="${'\u202ea'}">`.toString(), '<input value="\u202ea">', 'a form sends it back')
})

t.test('joins contents with markup', async (t) => {
  t.equal(joined(['a', html`<b></b>`, 'c'], html` · `).toString(), 'a · <b></b> · c')
  t.equal(joined([], ',').toString(), '')
})
