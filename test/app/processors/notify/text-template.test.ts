import fc from 'fast-check'
import t from 'tap'
import { type Render, TEXT } from '../../../../app/processors/notify/text-template.ts'
import { sampleEvent } from '../../../support/events.ts'

const event = sampleEvent('upload', { publicId: 'bag', variant: 'metadata' })
const fill = (template: string) => TEXT.parse(template)(event)
const errorOf = (given: unknown) => TEXT.safeParse(given as string).error?.issues[0]?.message

t.test('fills placeholders from the event', async (t) => {
  t.equal(
    fill('{public_id} ({metadata.cms_id}) came to {event.environment}: {context.custom.alt}'),
    'bag (cms-1001) came to demo: A brown leather bag'
  )
  t.equal(fill('plain'), 'plain')
})

t.test('joins lists and encodes objects as JSON', async (t) => {
  t.equal(fill('{tags}'), 'bags, autumn')
  t.equal(fill('{context.custom}'), '{"alt":"A brown leather bag","caption":"Autumn"}')
  t.equal(fill('{width} {placeholder}'), '1279 false')
})

t.test('leaves missing fields empty', async (t) => {
  t.equal(fill('SKU {metadata.sku}.'), 'SKU .')
  t.equal(TEXT.parse('{a}, {b}')({ ...event, payload: { a: null, b: [null, 'x'] } }), ', , x')
})

t.test('unescapes doubled braces', async (t) => {
  t.equal(fill('{{{public_id}}} {{public_id}}'), '{bag} {public_id}')
})

t.test('does not fill placeholders in values', async (t) => {
  const payload = { title: '{public_id} $& {{', public_id: 'bag' }
  t.equal(TEXT.parse('{title}')({ ...event, payload }), '{public_id} $& {{')
})

t.test('accepts a function', async (t) => {
  const render: Render = ({ asset }) => asset?.publicId
  t.equal(TEXT.parse(render), render)
})

t.test('rejects invalid templates', async (t) => {
  t.match(errorOf('{public_id'), /unmatched brace/)
  t.match(errorOf('public_id}'), /unmatched brace/)
  t.match(errorOf('{}'), /^\{\}: /)
  t.match(errorOf('{{ {public id}'), /^\{public id\}: /)
  t.match(errorOf('{event.name}'), /^\{event\.name\}: .* event\.id, /)
  for (const given of ['', 5, null, undefined, {}]) {
    t.equal(errorOf(given), 'must be a template or a function', String(given))
  }
})

t.test('returns any text with escaped braces unchanged', async () => {
  fc.assert(fc.property(fc.string({ minLength: 1 }), (text) => fill(text.replace(/[{}]/g, '$&$&')) === text))
})
