import t from 'tap'
import { searchPage } from '../../../../app/cloudinary/search.ts'
import { changeEvent, idsOf, uploadEvent } from '../../../../app/commands/reconcile/found-events.ts'
import { WITH_FIELD } from '../../../../app/commands/reconcile/tracked-changes.ts'
import { toEvents } from '../../../../app/ingest/notification.ts'
import { LOCAL_CLOUDINARY } from '../../../../app/testing/defaults.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { CONTEXT, found, METADATA, TAGS, UPLOAD } from './fixtures.ts'

t.test('an upload that is found is the event that its notification makes', async (t) => {
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
  const [notified] = toEvents(Buffer.from(cloudinary.deliveries[0]!.body), { ...CONTEXT, signedAt: 0 })
  const { assets } = await searchPage(clients.for('demo', new AbortController().signal), {
    expression: 'public_id=coat',
    sortBy: [UPLOAD.field, 'asc'],
    withField: WITH_FIELD
  })
  const event = uploadEvent(UPLOAD, assets[0]!, CONTEXT)!
  const { occurredAt, payload, ...same } = notified!
  t.match(event, { ...same, reconciled: true })
  t.equal(
    event.traceId,
    `Reconcile=${CONTEXT.receivedAt.toISOString()}`,
    'to look for all that the pass found'
  )
  t.equal(event.occurredAt, `${occurredAt.slice(0, 19)}.000Z`, 'to the second, as the search has it')
  for (const field of ['tags', 'context', 'bytes', 'format', 'etag', 'secure_url', 'asset_folder']) {
    t.strictSame(event.payload[field], payload[field], field)
  }
})

t.test('an upload is looked for under the id of a notification without an etag as well', async (t) => {
  const withEtag = uploadEvent(UPLOAD, found({ etag: 'e1' }), CONTEXT)!
  const without = uploadEvent(UPLOAD, found(), CONTEXT)!
  t.not(withEtag.id, without.id)
  t.strictSame(new Set(idsOf(withEtag)), new Set([withEtag.id, without.id]))
  t.strictSame(new Set(idsOf(without)), new Set([without.id]))
  const change = changeEvent(TAGS, found(), false, CONTEXT)
  t.strictSame(idsOf(change), [change.id])
  t.notOk('signedAt' in change || 'signedAt' in withEtag, 'what was found states its time')
})

t.test('the uploader is whom the search names', async (t) => {
  const originOf = (uploaded_by: unknown) => uploadEvent(UPLOAD, found({ uploaded_by }), CONTEXT)!.origin
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

t.test('an asset that does not say which upload it was makes no event', async (t) => {
  t.equal(uploadEvent(UPLOAD, found({ asset_id: '' }), CONTEXT), undefined)
  const { version: _, ...rest } = found()
  t.equal(uploadEvent(UPLOAD, rest, CONTEXT), undefined)
})

t.test(
  'a change that is found has one identity, whoever finds it and however it looks by then',
  async (t) => {
    const event = changeEvent(TAGS, found(), false, CONTEXT)
    t.match(event, {
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
    const later = { ...CONTEXT, receivedAt: new Date() }
    const again = changeEvent(TAGS, found({ tags: ['wool'], public_id: 'renamed' }), true, later)
    t.equal(again.id, event.id)
    const others = [
      changeEvent(METADATA, found(), false, CONTEXT),
      changeEvent(TAGS, found(), false, { ...CONTEXT, environment: 'other' }),
      changeEvent(TAGS, found({ asset_id: 'hat-id' }), false, CONTEXT),
      changeEvent(TAGS, found({ last_updated: { tags_updated_at: '2026-06-01T12:01:01Z' } }), false, CONTEXT)
    ]
    t.equal(new Set([event, ...others].map(({ id }) => id)).size, 5)
  }
)

t.test('it is in order with the other events of its asset', async (t) => {
  t.equal(changeEvent(TAGS, found(), false, CONTEXT).group, uploadEvent(UPLOAD, found(), CONTEXT)!.group)
})

t.test('a change that the listener is taken to have made is its own', async (t) => {
  t.strictSame(changeEvent(TAGS, found(), true, CONTEXT).origin, {
    source: 'api',
    id: LOCAL_CLOUDINARY.apiKey,
    own: true
  })
})
