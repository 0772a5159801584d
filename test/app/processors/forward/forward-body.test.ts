import t from 'tap'
import { encode, mapFields } from '../../../../app/processors/forward/forward-body.ts'
import { sampleEvent } from '../../../support/events.ts'

const event = sampleEvent('upload', { publicId: 'bag', variant: 'metadata' })
const sent = (...paths: string[]) => JSON.parse(encode(mapFields(paths)(event) as object))

t.test('nests fields as in the notification', async (t) => {
  t.strictSame(sent('public_id', 'tags', 'context.custom.alt', 'metadata.cms_id', 'event.id'), {
    type: 'upload',
    timestamp: '2026-06-01T12:00:00.789Z',
    environment: 'demo',
    data: {
      public_id: 'bag',
      tags: ['bags', 'autumn'],
      context: { custom: { alt: 'A brown leather bag' } },
      metadata: { cms_id: 'cms-1001' },
      event: { id: event.id }
    }
  })
})

t.test('leaves out missing fields', async (t) => {
  t.strictSame(sent('public_id', 'upload_preset', 'metadata.sku', 'moderation.kind').data, {
    public_id: 'bag'
  })
})

t.test('sends a nested field once without changing the event', async (t) => {
  const before = structuredClone(event)
  for (const paths of [
    ['context', 'context.custom.alt'],
    ['context.custom.alt', 'context']
  ]) {
    t.strictSame(sent(...paths).data, { context: event.payload.context })
  }
  t.strictSame(sent('context.custom.alt', 'context.custom.caption').data, { context: event.payload.context })
  t.strictSame(event, before)
})

t.test('treats names such as __proto__ as ordinary ones', async (t) => {
  const payload = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"polluted":1}}')
  const mapped = mapFields(['__proto__.polluted', 'constructor.polluted'])({ ...event, payload }) as object
  t.match(encode(mapped), /"data":\{"__proto__":\{"polluted":1\},"constructor":\{"polluted":1\}\}/)
  t.equal(({} as { polluted?: number }).polluted, undefined)
  t.notOk('polluted' in Object)
})

t.test('encodes the same object as the same bytes', async (t) => {
  t.equal(encode(mapFields(['tags'])(event) as object), encode(mapFields(['tags'])({ ...event }) as object))
})

t.test('rejects values that JSON cannot represent', async (t) => {
  const refused = (value: unknown, message: RegExp) =>
    t.throws(() => encode(value as object), { name: 'PermanentError', code: 'FORWARD_UNMAPPABLE', message })
  refused('text', /not an object$/)
  refused(null, /not an object$/)
  refused({ size: 1n }, /BigInt/)
  const circle: { self?: object; secret: string } = { secret: 'shh' }
  circle.self = circle
  refused(circle, /: Converting circular structure to JSON$/)
})
