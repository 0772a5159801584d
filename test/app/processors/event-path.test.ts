import fc from 'fast-check'
import t from 'tap'
import type { AssetEvent } from '../../../app/listener.ts'
import { PATH, valueAt } from '../../../app/processors/event-path.ts'
import { sampleEvent } from '../../support/events.ts'

const event = sampleEvent('upload', { publicId: 'bag', variant: 'metadata' })

t.test('reads values of the payload', async (t) => {
  t.equal(valueAt(event, 'public_id'), 'bag')
  t.strictSame(valueAt(event, 'tags'), ['bags', 'autumn'])
  t.equal(valueAt(event, 'context.custom.alt'), 'A brown leather bag')
  t.equal(valueAt(event, 'metadata.cms_id'), 'cms-1001')
  t.equal(valueAt(event, 'metadata.colours.1'), 'black')
})

t.test('reads properties of the event', async (t) => {
  t.equal(valueAt(event, 'event.environment'), 'demo')
  t.equal(valueAt(event, 'event.asset.publicId'), 'bag')
  t.equal(valueAt({ ...event, asset: null }, 'event.asset.publicId'), undefined)
})

t.test('returns undefined for missing values', async (t) => {
  for (const path of [
    'nothing',
    'public_id.nothing',
    'metadata.nothing.more',
    'public_id.length',
    'tags.9'
  ]) {
    t.equal(valueAt(event, path), undefined, path)
  }
  t.equal(valueAt({ ...event, payload: { metadata: null } }, 'metadata.cms_id'), undefined)
})

t.test('ignores inherited properties', async (t) => {
  for (const path of [
    'constructor',
    'toString',
    '__proto__',
    'metadata.constructor.name',
    'tags.length.toFixed'
  ]) {
    t.equal(valueAt(event, path), undefined, path)
  }
})

t.test('finds any value by its own names', async () => {
  const name = fc.string({ minLength: 1 }).filter((text) => !text.includes('.') && text !== 'event')
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), fc.jsonValue(), (names, value) => {
      const payload = names.reduceRight((inner, key) => Object.fromEntries([[key, inner]]), value as unknown)
      return Object.is(
        valueAt({ ...event, payload: payload as object as AssetEvent['payload'] }, names.join('.')),
        value
      )
    })
  )
})

t.test('rejects invalid paths and unknown event properties', async (t) => {
  for (const path of [
    'public_id',
    'context.custom.alt',
    'event.id',
    'event.origin.own',
    'events.id',
    'eventful'
  ]) {
    t.ok(PATH.safeParse(path).success, path)
  }
  for (const path of [
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a b',
    '{a}',
    'event',
    'event.',
    'event.secret',
    'event.asset'
  ]) {
    t.notOk(PATH.safeParse(path).success, path)
  }
  t.match(PATH.safeParse('event.asset.name').error?.issues[0]?.message, / event\.id, /)
})
