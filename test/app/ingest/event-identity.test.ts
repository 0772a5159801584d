import t from 'tap'
import {
  bodyEventId,
  foundEventId,
  laterEventId,
  RETRY_SPAN_MS,
  uploadEventIds
} from '../../../app/ingest/event-identity.ts'

const ASSET = { assetId: 'a', version: 1, etag: 'e' }
const MINUTE_MS = 60_000

t.test('an upload is named by cloud, asset, version and etag', async (t) => {
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

t.test('a search with an etag can name the event of a notification without one', async (t) => {
  const [withEtag, without, ...more] = uploadEventIds('demo', ASSET)
  t.strictSame(uploadEventIds('demo', { ...ASSET, etag: undefined }), [without])
  t.strictSame(uploadEventIds('demo', { ...ASSET, etag: '' }), [without])
  t.not(withEtag, without)
  t.strictSame(more, [])
})

t.test('an upload whose asset or version is not known has no name', async (t) => {
  t.strictSame(uploadEventIds('demo', { ...ASSET, assetId: undefined }), [])
  t.strictSame(uploadEventIds('demo', { ...ASSET, assetId: '' }), [])
  t.strictSame(uploadEventIds('demo', { ...ASSET, version: undefined }), [])
  t.equal(uploadEventIds('demo', { ...ASSET, version: 0 }).length, 2)
})

t.test('each place in a body is another event', async (t) => {
  t.equal(bodyEventId('digest', 0), bodyEventId('digest', 0))
  t.equal(new Set([bodyEventId('digest', 0), bodyEventId('digest', 1), bodyEventId('other', 0)]).size, 3)
})

t.test('a later change of the same body is named by the first delivery of it', async (t) => {
  const first = { id: 'f0', signedAt: '2026-06-01T12:00:00.000Z' }
  const later = laterEventId({ ...first, signedAt: '2026-06-01T13:00:01.000Z' })
  t.match(later, /^[0-9a-f]{32}$/)
  t.equal(laterEventId({ ...first, signedAt: '2026-06-01T13:00:01.000Z' }), later)
  t.not(laterEventId({ ...first, signedAt: '2026-06-01T14:00:02.000Z' }), later)
  t.not(laterEventId({ ...first, id: 'f1', signedAt: '2026-06-01T13:00:01.000Z' }), later)
})

t.test('an event whose body is unique has no later change', async (t) => {
  t.equal(laterEventId({ id: 'f0' }), 'f0')
})

t.test('the span of retries covers the longest reading of them', async (t) => {
  t.ok(RETRY_SPAN_MS > (3 + 9 + 27 + 1) * MINUTE_MS)
})

t.test('a change that was found is named by cloud, type, asset and time, and as no upload is', async (t) => {
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
