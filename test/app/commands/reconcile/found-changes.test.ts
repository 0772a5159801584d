import t from 'tap'
import { searchPage } from '../../../../app/cloudinary/search.ts'
import { type ChangeKind, WITH_FIELD } from '../../../../app/commands/reconcile/change-kinds.ts'
import { changeOf, eventOf, idsOf } from '../../../../app/commands/reconcile/found-changes.ts'
import { toEvents } from '../../../../app/ingest/notification.ts'
import { LOCAL_CLOUDINARY } from '../../../../app/testing/defaults.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { EVENT_CONTEXT, found, METADATA, TAGS, UPLOAD } from './fixtures.ts'

/** The event of an asset's last change of a kind. */
const event = (kind: ChangeKind, asset = found(), { isByListener = false, context = EVENT_CONTEXT } = {}) =>
  eventOf(changeOf(kind, asset)!, isByListener, context)!

const changedAt = (kind: ChangeKind, about = {}) => {
  const change = changeOf(kind, found(about))
  return change && new Date(change.changedAt).toISOString().slice(11, 19)
}

t.test('finds the last change of each kind', async (t) => {
  t.equal(changedAt(UPLOAD), '12:00:00')
  t.equal(changedAt(TAGS), '12:01:00')
  t.equal(changedAt(TAGS, { last_updated: undefined }), undefined)
})

t.test('finds uploads of delivery types that can be uploaded to', async (t) => {
  for (const type of ['private', 'authenticated']) t.equal(changedAt(UPLOAD, { type }), '12:00:00')
  t.equal(changedAt(UPLOAD, { type: 'fetch' }), undefined)
})

t.test('ignores a change that is part of the upload', async (t) => {
  const tagged = (tags_updated_at: string, about = {}) => ({ last_updated: { tags_updated_at }, ...about })
  t.equal(changedAt(TAGS, tagged('2026-06-01T12:00:02+00:00')), undefined)
  t.equal(changedAt(TAGS, tagged('2026-06-01T12:00:03+00:00')), '12:00:03')
  t.equal(changedAt(TAGS, tagged('2026-06-01T11:00:00Z', { uploaded_at: undefined })), '11:00:00')
})

t.test('makes the same event of an upload as its notification', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t)
  cloudinary.setNotificationUrl('http://127.0.0.1:1/')
  cloudinary.drops.add({})
  cloudinary.as().upload({
    publicId: 'coat',
    tags: ['wool'],
    context: { alt: 'a coat' },
    metadata: {},
    assetFolder: 'clothes'
  })
  await cloudinary.idle()
  const [notified] = toEvents(Buffer.from(cloudinary.deliveries[0]!.body), { ...EVENT_CONTEXT, signedAt: 0 })
  const { assets } = await searchPage(clients.for('demo', new AbortController().signal), {
    expression: 'public_id=coat',
    sortBy: [UPLOAD.field, 'asc'],
    withField: WITH_FIELD
  })
  const uploaded = event(UPLOAD, assets[0]!)
  const { occurredAt, payload, ...same } = notified!
  t.match(uploaded, { ...same, reconciled: true })
  t.equal(
    uploaded.traceId,
    `Reconcile=${EVENT_CONTEXT.receivedAt.toISOString()}`,
    'the same for all events of a pass'
  )
  t.equal(uploaded.occurredAt, `${occurredAt.slice(0, 19)}.000Z`, 'in seconds, like the search')
  for (const field of ['tags', 'context', 'bytes', 'format', 'etag', 'secure_url', 'asset_folder']) {
    t.strictSame(uploaded.payload[field], payload[field], field)
  }
})

t.test('looks for an upload with and without its etag', async (t) => {
  const withEtag = event(UPLOAD, found({ etag: 'e1' }))
  const without = event(UPLOAD)
  t.not(withEtag.id, without.id)
  t.strictSame(new Set(idsOf(withEtag)), new Set([withEtag.id, without.id]))
  t.strictSame(new Set(idsOf(without)), new Set([without.id]))
  const change = event(TAGS)
  t.strictSame(idsOf(change), [change.id])
  t.notOk('signedAt' in change || 'signedAt' in withEtag, 'a found change states its time')
})

t.test('names the uploader that the search names', async (t) => {
  const originOf = (uploaded_by: unknown) => event(UPLOAD, found({ uploaded_by })).origin
  t.strictSame(originOf({ access_key: '222' }), { source: 'api', id: '222', own: false })
  t.strictSame(originOf({ access_key: LOCAL_CLOUDINARY.apiKey }), {
    source: 'api',
    id: LOCAL_CLOUDINARY.apiKey,
    own: true
  })
  const editor = { access_key: LOCAL_CLOUDINARY.apiKey, custom_id: 'editor@example.com' }
  t.strictSame(originOf(editor), { source: 'ui', id: 'editor@example.com', own: false })
  t.strictSame(originOf({ access_key: '222', custom_id: '' }).id, '222')
  for (const by of [undefined, null, 'somebody', {}]) {
    t.strictSame(originOf(by), { source: null, id: null, own: false })
  }
})

t.test('makes no event of an upload that is not identified', async (t) => {
  t.equal(event(UPLOAD, found({ asset_id: '' })), undefined)
  const { version: _, ...rest } = found()
  t.equal(event(UPLOAD, rest), undefined)
})

t.test('gives a change the same ID each time it is found', async (t) => {
  const tagged = event(TAGS)
  t.match(tagged, {
    id: /^[0-9a-f]{32}$/,
    type: 'resource_tags_changed',
    notificationType: 'resource_tags_changed',
    asset: { assetId: 'bag-id', publicId: 'bag', resourceType: 'image', deliveryType: 'upload' },
    occurredAt: '2026-06-01T12:01:00.000Z',
    receivedAt: '2026-06-01T13:00:00.000Z',
    origin: { source: null, id: null, own: false },
    reconciled: true,
    payload: { tags: ['leather'] }
  })
  const context = { ...EVENT_CONTEXT, receivedAt: new Date() }
  const again = event(TAGS, found({ tags: ['wool'], public_id: 'renamed' }), { isByListener: true, context })
  t.equal(again.id, tagged.id)
  const others = [
    event(METADATA),
    event(TAGS, found(), { context: { ...EVENT_CONTEXT, environment: 'other' } }),
    event(TAGS, found({ asset_id: 'hat-id' })),
    event(TAGS, found({ last_updated: { tags_updated_at: '2026-06-01T12:01:01Z' } }))
  ]
  t.equal(new Set([tagged, ...others].map(({ id }) => id)).size, 5)
})

t.test('puts a change in the message group of its asset', async (t) => {
  t.equal(event(TAGS).group, event(UPLOAD).group)
})

t.test('marks a change by the listener as its own', async (t) => {
  t.strictSame(event(TAGS, found(), { isByListener: true }).origin, {
    source: 'api',
    id: LOCAL_CLOUDINARY.apiKey,
    own: true
  })
})
