import t from 'tap'
import { deliveryUrls } from '../../../dev/cloudinary/asset-view.ts'
import { Cloud } from '../../../dev/cloudinary/cloud.ts'
import {
  accessControlNotification,
  contextNotification,
  deleteNotification,
  displayNameNotification,
  eagerNotification,
  envelope,
  metadataNotification,
  moveNotification,
  renameNotification,
  tagsNotification,
  uploadNotification
} from '../../../dev/cloudinary/notifications.ts'
import { misfitsIn } from '../../support/payloads.ts'
import { assetWith } from './fixtures.ts'
import { environment } from './sdk.ts'

const asset = assetWith()
const identity = { asset_id: asset.assetId, public_id: 'a', resource_type: 'image', type: 'upload' }
const { public_id: _, ...unnamed } = identity

t.test('every notification has its time, its author and the signing key', async (t) => {
  const origin = { source: 'api' as const, id: '1' }
  const body = envelope(
    { notification_type: 'rename', a: 1 },
    { origin, now: 1_700_000_000_000, signatureKey: '9' }
  )
  t.match(body, {
    timestamp: '2023-11-14T22:13:20+00:00',
    request_id: /^[0-9a-f]{32}$/,
    a: 1,
    notification_context: {
      triggered_at: '2023-11-14T22:13:20.000000Z',
      triggered_by: { source: 'api', id: '1' }
    },
    signature_key: '9'
  })
  t.equal(Object.keys(body)[0], 'notification_type')
  t.notOk('source' in body)
})

t.test('delete has no timestamp and no request ID; changes have a source', async (t) => {
  const by = { origin: { source: 'ui' as const, id: 'e' }, now: 0, signatureKey: '9' }
  const deleted = envelope(deleteNotification([asset]), by)
  t.notOk('timestamp' in deleted || 'request_id' in deleted)
  t.same(deleted.resources, [{ ...identity, version: asset.version }])
  const tagged = envelope(tagsNotification([]), by)
  t.equal(tagged.source, 'ui')
  t.notOk('timestamp' in tagged || 'request_id' in tagged)
})

t.test('old notifications lack author and time, and some the kind of the asset', async (t) => {
  const by = { origin: { source: 'ui' as const, id: 'e' }, now: 0, signatureKey: '9', usesOldFormat: true }
  t.strictSame(envelope(deleteNotification([asset]), by), {
    notification_type: 'delete',
    resources: [{ asset_id: asset.assetId, public_id: 'a', version: asset.version }]
  })
  const renamed = envelope(renameNotification(asset, { publicId: 'b', type: 'upload' }), by)
  t.notOk('resource_type' in renamed || 'type' in renamed || 'notification_context' in renamed)
  t.match(renamed, { asset_id: asset.assetId, from_public_id: 'b', to_public_id: 'a', timestamp: String })
  const uploaded = envelope(uploadNotification(asset, new Cloud(environment), {}), by)
  t.match(uploaded, { ...identity, timestamp: String, request_id: String })
  t.notOk('signature_key' in uploaded)
})

t.test('has the fields of an upload at the top level', async (t) => {
  t.match(uploadNotification(asset, new Cloud(environment), { existing: true, api_key: '1' }), {
    ...identity,
    notification_type: 'upload',
    existing: true,
    api_key: '1'
  })
})

t.test('lists changed tags per asset', async (t) => {
  t.same(tagsNotification([{ asset, added: ['x'], removed: ['y'] }]), {
    notification_type: 'resource_tags_changed',
    resources: [{ ...identity, added: ['x'], removed: ['y'] }]
  })
})

t.test('maps public IDs to changed metadata and context', async (t) => {
  const changed = assetWith({ metadata: { a: 1 }, context: { new: '1', kept: '1', changed: '2' } })
  t.same(metadataNotification([{ asset: changed, previous: {} }]), {
    notification_type: 'resource_metadata_changed',
    resources: { a: { previous_metadata: {}, new_metadata: { a: 1 }, ...unnamed } }
  })
  t.same(contextNotification([{ asset: changed, previous: { kept: '1', changed: '1', gone: '1' } }]), {
    notification_type: 'resource_context_changed',
    resources: {
      a: {
        added: [{ name: 'new', value: '1' }],
        removed: [{ name: 'gone', value: '1' }],
        updated: [{ name: 'changed', value: '2' }],
        ...unnamed
      }
    }
  })
})

t.test('states the old and the new public ID of a rename', async (t) => {
  const renamed = { notification_type: 'rename', from_public_id: 'b', to_public_id: 'a', ...unnamed }
  t.same(renameNotification(asset, { publicId: 'b', type: 'upload' }), renamed)
  t.match(renameNotification(asset, { publicId: 'b', type: 'private' }), {
    type: 'private',
    to_type: 'upload'
  })
})

t.test('maps public IDs to moved and renamed assets, and lists access control', async (t) => {
  const { asset_id, resource_type, type } = {
    asset_id: asset.assetId,
    resource_type: 'image',
    type: 'upload'
  }
  const moved = { from_asset_folder: 'old', to_asset_folder: '', asset_id, resource_type, type }
  t.match(moveNotification(asset, 'old'), { notification_type: 'move', resources: { a: moved } })
  t.match(displayNameNotification(asset, 'b'), {
    resources: { a: { previous_display_name: 'b', new_display_name: 'a' } }
  })
  t.match(accessControlNotification(asset, []), {
    resources: [{ public_id: 'a', previous_access_control: [], new_access_control: [] }]
  })
})

t.test('an eager result has no resource type and no type', async (t) => {
  t.same(eagerNotification(asset, 'batch', []), {
    notification_type: 'eager',
    eager: [],
    batch_id: 'batch',
    asset_id: asset.assetId,
    public_id: 'a'
  })
})

t.test('every notification fits the schema of its type', async (t) => {
  const cloud = new Cloud(environment)
  const full = assetWith({ metadata: { a: 1, b: ['x'] }, context: { new: '1' } })
  const from = { publicId: 'b', type: 'private' }
  const bodies = [
    uploadNotification(asset, cloud, { existing: true }),
    uploadNotification(full, cloud, { overwritten: true, api_key: '1' }),
    tagsNotification([{ asset, added: ['x'], removed: [] }]),
    metadataNotification([{ asset: full, previous: {} }]),
    contextNotification([{ asset: full, previous: { gone: '1' } }]),
    renameNotification(asset, from),
    deleteNotification([asset, full]),
    eagerNotification(asset, 'batch', [{ transformation: 'w_1', ...deliveryUrls(asset, cloud) }])
  ]
  for (const usesOldFormat of [false, true]) {
    for (const body of bodies) {
      const by = {
        origin: { source: 'ui' as const, id: 'e' },
        now: Date.now(),
        signatureKey: '9',
        usesOldFormat
      }
      t.strictSame(misfitsIn(envelope(body, by)), [], body.notification_type)
    }
  }
})
