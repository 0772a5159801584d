import fc from 'fast-check'
import t from 'tap'
import {
  assetGroup,
  bodyEventId,
  digest,
  foundEventId,
  laterEventId,
  scheduledEventId,
  uploadEventIds
} from '../../../app/ingest/event-identity.ts'
import { sampleEvent } from '../../support/events.ts'

const ASSET = { assetId: 'a', version: 1, etag: 'e' }
t.test('derives the id of an upload from cloud, asset, version and etag', async (t) => {
  const [id] = uploadEventIds('demo', ASSET)
  t.match(id, /^[0-9a-f]{32}$/)
  t.strictSame(uploadEventIds('demo', { ...ASSET }), uploadEventIds('demo', ASSET))
  const others = [
    uploadEventIds('other', ASSET),
    uploadEventIds('demo', { ...ASSET, assetId: 'b' }),
    uploadEventIds('demo', { ...ASSET, version: 2 }),
    uploadEventIds('demo', { ...ASSET, etag: 'f' })
  ]
  t.equal(new Set([id, ...others.map(([first]) => first)]).size, 5)
})

t.test('a search with an etag also gives the id of a notification without one', async (t) => {
  const [withEtag, without, ...more] = uploadEventIds('demo', ASSET)
  t.strictSame(uploadEventIds('demo', { ...ASSET, etag: undefined }), [without])
  t.strictSame(uploadEventIds('demo', { ...ASSET, etag: '' }), [without])
  t.not(withEtag, without)
  t.strictSame(more, [])
})

t.test('returns no id for an upload without asset id or version', async (t) => {
  t.strictSame(uploadEventIds('demo', { ...ASSET, assetId: undefined }), [])
  t.strictSame(uploadEventIds('demo', { ...ASSET, assetId: '' }), [])
  t.strictSame(uploadEventIds('demo', { ...ASSET, version: undefined }), [])
  t.equal(uploadEventIds('demo', { ...ASSET, version: 0 }).length, 2)
})

t.test('each index in a body gives another id', async (t) => {
  t.equal(bodyEventId('digest', 0), bodyEventId('digest', 0))
  t.equal(new Set([bodyEventId('digest', 0), bodyEventId('digest', 1), bodyEventId('other', 0)]).size, 3)
})

t.test('derives the id of a later change with the same body from its first delivery', async (t) => {
  const first = { id: 'f0', signedAt: '2026-06-01T12:00:00.000Z' }
  const later = laterEventId({ ...first, signedAt: '2026-06-01T13:00:01.000Z' })
  t.match(later, /^[0-9a-f]{32}$/)
  t.equal(laterEventId({ ...first, signedAt: '2026-06-01T13:00:01.000Z' }), later)
  t.not(laterEventId({ ...first, signedAt: '2026-06-01T14:00:02.000Z' }), later)
  t.not(laterEventId({ ...first, id: 'f1', signedAt: '2026-06-01T13:00:01.000Z' }), later)
})

t.test('keeps the id of an event with a unique body', async (t) => {
  t.equal(laterEventId({ id: 'f0' }), 'f0')
})

t.test('derives the id of a found change from cloud, type, asset and time', async (t) => {
  const id = foundEventId('demo', 'resource_tags_changed', 'a', '1')
  t.match(id, /^[0-9a-f]{32}$/)
  t.equal(foundEventId('demo', 'resource_tags_changed', 'a', '1'), id)
  const others = [
    foundEventId('other', 'resource_tags_changed', 'a', '1'),
    foundEventId('demo', 'resource_metadata_changed', 'a', '1'),
    foundEventId('demo', 'resource_tags_changed', 'b', '1'),
    foundEventId('demo', 'resource_tags_changed', 'a', '2'),
    ...uploadEventIds('demo', ASSET)
  ]
  t.equal(new Set([id, ...others]).size, 7)
})

t.test('derives the id of a scheduled event from cloud, schedule, slot and asset', async (t) => {
  const id = scheduledEventId('demo', 'unused', '1', 'a')
  t.match(id, /^[0-9a-f]{32}$/)
  t.equal(scheduledEventId('demo', 'unused', '1', 'a'), id)
  const others = [
    scheduledEventId('other', 'unused', '1', 'a'),
    scheduledEventId('demo', 'expire', '1', 'a'),
    scheduledEventId('demo', 'unused', '2', 'a'),
    scheduledEventId('demo', 'unused', '1', 'b')
  ]
  t.equal(new Set([id, ...others]).size, 5)
})

t.test('the events of a schedule share the message group of the asset', async (t) => {
  const { group, environment } = sampleEvent('upload', {}, { asset_id: 'a' })
  t.equal(assetGroup(environment, 'a'), group)
  t.not(assetGroup('other', 'a'), group)
})

t.test('hashes bytes and texts alike', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (texts) => {
      const [last = '', ...others] = texts.toReversed()
      return digest(...others, last) === digest(...others, Buffer.from(last))
    })
  )
  t.not(digest('a', 'b'), digest('ab'))
})
