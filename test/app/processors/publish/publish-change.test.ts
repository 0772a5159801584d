import t from 'tap'
import {
  changeFor,
  defaultTags,
  merged,
  referenceOf
} from '../../../../app/processors/publish/publish-change.ts'
import { sampleEvent } from '../../../support/events.ts'

const event = sampleEvent('upload', { publicId: 'shop/bag' })
const none = () => []

t.test('tags everything from an asset by its name, and by its old name', async (t) => {
  t.strictSame(defaultTags(event), ['cloudinary', 'cloudinary:shop/bag'])
  const rename = sampleEvent('rename', {}, { from_public_id: 'bag', to_public_id: 'shop/bag' })
  t.strictSame(defaultTags(rename), ['cloudinary', 'cloudinary:bag', 'cloudinary:shop/bag'])
  t.strictSame(defaultTags(sampleEvent('create_folder')), ['cloudinary'])
})

t.test('encodes paths', async (t) => {
  const paths = () => ['/täschen/a b', '/a%20b?c=d', '/shop/*', '/\ud800']
  t.strictSame(changeFor(event, { name: 'publish', paths, tags: () => ['ä'] }), {
    ids: [`${event.id}:publish`],
    paths: ['/t%C3%A4schen/a%20b', '/a%20b?c=d', '/shop/*', '/%EF%BF%BD'],
    tags: ['ä']
  })
})

t.test('rejects invalid results of the functions', async (t) => {
  const refused = (paths: unknown, tags: unknown, message: RegExp) =>
    t.throws(() => changeFor(event, { name: 'publish', paths: () => paths as [], tags: () => tags as [] }), {
      name: 'PermanentError',
      code: 'PUBLISH_INVALID',
      message
    })
  refused('/', [], /`paths` must return a list/)
  refused([7], [], /`paths`/)
  refused([''], [], /`paths`/)
  refused([], undefined, /`tags`/)
  refused(['shop'], [], /shop must begin with a slash/)
  refused(['/*/bag'], [], /may have a \* only at its end/)
})

t.test('merges changes, in one order, without duplicates', async (t) => {
  const one = changeFor(event, { name: 'publish', paths: () => ['/b', '/a'], tags: () => ['t'] })
  const two = changeFor(
    { ...event, id: '0' },
    { name: 'publish', paths: () => ['/a', '/c'], tags: () => ['t', 's'] }
  )
  const both = merged([one, two])
  t.strictSame(both, { ids: ['0:publish', ...one.ids], paths: ['/a', '/b', '/c'], tags: ['s', 't'] })
  t.strictSame(merged([two, one]), both)
})

t.test('names a change by its events and paths', async (t) => {
  const change = merged([changeFor(event, { name: 'publish', paths: () => ['/a'], tags: none })])
  const reference = referenceOf(change)
  t.match(reference, /^[0-9a-f]{64}$/)
  t.equal(referenceOf({ ...change, tags: ['t'] }), reference)
  t.not(referenceOf({ ...change, paths: ['/b'] }), reference)
  t.not(referenceOf({ ...change, ids: ['other'] }), reference)
})
