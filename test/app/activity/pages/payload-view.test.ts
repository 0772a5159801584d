import fc from 'fast-check'
import t from 'tap'
import { payloadView } from '../../../../app/activity/pages/payload-view.ts'
import { HOSTILE } from '../../../support/activity-events.ts'

const ENTITIES: Record<string, string> = {
  '&#60;': '<',
  '&#62;': '>',
  '&#34;': '"',
  '&#39;': "'",
  '&#61;': '=',
  '&#38;': '&'
}

const textOf = (markup: string) =>
  markup.replace(/<[^>]*>/g, '').replace(/&#\d\d;/g, (entity) => ENTITIES[entity]!)

t.test('keys, texts, numbers and words are marked', async (t) => {
  const markup = payloadView({ a: 'b', n: -1.5e3, yes: true, no: null }).toString()
  t.match(markup, '<span class="prop">&#34;a&#34;</span>: <span class="str">&#34;b&#34;</span>')
  t.match(markup, '<span class="num">-1500</span>')
  t.match(markup, '<span class="word">true</span>')
  t.match(markup, '<span class="word">null</span>')
})

t.test('the text is the JSON itself, without markup of its own', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), fc.constant({ [HOSTILE]: HOSTILE })), (payload) => {
      const markup = payloadView(payload).toString()
      const tags = [...markup.matchAll(/<\/?([a-z]+)/g)].map(([, tag]) => tag)
      return (
        tags.every((tag) => tag === 'pre' || tag === 'span') &&
        JSON.stringify(JSON.parse(textOf(markup))) === JSON.stringify(payload)
      )
    })
  )
})

t.test('a large payload is truncated', async (t) => {
  const markup = payloadView({ a: 'x'.repeat(300_000) }).toString()
  t.ok(markup.length < 210_000)
  t.match(markup, 'the API returns the whole payload')
})
