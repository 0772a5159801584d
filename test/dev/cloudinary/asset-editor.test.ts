import t, { type Test } from 'tap'
import { AssetEditor } from '../../../dev/cloudinary/asset-editor.ts'
import { Cloud } from '../../../dev/cloudinary/cloud.ts'
import type { Notifier } from '../../../dev/cloudinary/notifier.ts'
import { environment } from './sdk.ts'

const NOW = 1_700_000_000_000
const HOOK = 'http://listener.test/'
const failing = (_asset: unknown, transformation: string) => (transformation === 'bad' ? 'no' : undefined)

/** An editor whose notifications are collected instead of sent. */
function start(_t: Test, source: 'api' | 'ui' = 'api', searchLag?: () => number) {
  const cloud = new Cloud(environment, searchLag)
  const sent: { body: Record<string, unknown>; url: string | undefined }[] = []
  const notifier = {
    send: async (_cloud: Cloud, body: string, url?: string) => sent.push({ body: JSON.parse(body), url })
  }
  const tools = {
    clock: () => NOW,
    notifier: notifier as unknown as Notifier,
    eager: { failure: failing, videoSyncLimitBytes: 1000 },
    usesOldFormat: false
  }
  const changes = new AssetEditor(cloud, { source, id: 'someone' }, tools, source === 'ui' ? undefined : HOOK)
  for (const external_id of ['sku', 'other'])
    cloud.metadataFields.create({ external_id, label: 'x', type: 'string' })
  const last = () => sent.at(-1)!.body
  return { cloud, changes, sent, last }
}

t.test('notifies of an upload, with its author', async (t) => {
  const api = start(t)
  api.changes.upload({ publicId: 'a' })
  t.match(api.sent, [
    { body: { notification_type: 'upload', public_id: 'a', api_key: 'someone' }, url: HOOK }
  ])
  t.match(api.last(), { signature_key: environment.apiKey })
  api.changes.upload({ publicId: 'a', overwrite: false })
  t.match(api.last(), { existing: true })
  const ui = start(t, 'ui')
  ui.changes.upload({ publicId: 'a' })
  t.match(ui.last(), { notification_context: { triggered_by: { source: 'ui', id: 'someone' } } })
  t.notOk('api_key' in ui.last())
  t.equal(ui.sent[0]!.url, undefined)
})

t.test('a bulk change of tags sends one notification, of the changed assets only', async (t) => {
  const { changes, cloud, sent, last } = start(t)
  changes.upload({ publicId: 'a', tags: ['x'] })
  changes.upload({ publicId: 'b' })
  const found = changes.addTags(['a', 'b', 'nope', 'a'], ['x', 'x'])
  t.same(
    found.map(({ publicId }) => publicId),
    ['a', 'b']
  )
  t.match(last(), { notification_type: 'resource_tags_changed', source: 'api' })
  t.match(last().resources, [{ public_id: 'b', added: ['x'], removed: [] }])
  t.equal(cloud.assets.find('b')?.lastUpdated.tagsUpdatedAt, NOW)
  t.equal(cloud.assets.find('a')?.lastUpdated.tagsUpdatedAt, undefined)
  changes.addTags(['a', 'b'], ['x'])
  t.equal(sent.length, 3, 'no notification without a change')
  changes.removeTags('a', ['x'])
  t.match(last().resources, [{ public_id: 'a', added: [], removed: ['x'] }])
})

t.test('removes an exclusive tag from all other assets of the kind', async (t) => {
  const { changes, cloud, last } = start(t)
  changes.upload({ publicId: 'a', tags: ['main'] })
  changes.upload({ publicId: 'b' })
  changes.upload({ publicId: 'c', type: 'private', tags: ['main'] })
  changes.changeTags('set_exclusive', ['b'], ['main'])
  t.match(last().resources, [
    { public_id: 'b', added: ['main'] },
    { public_id: 'a', removed: ['main'] }
  ])
  t.same(cloud.assets.find('c', { type: 'private' })?.tags, ['main'])
})

t.test('notifies of changed metadata with all fields, before and after', async (t) => {
  const { changes, sent, last } = start(t)
  changes.upload({ publicId: 'a', metadata: { other: '1' } })
  changes.setMetadata('a', { sku: '7' })
  t.match(last(), {
    notification_type: 'resource_metadata_changed',
    resources: { a: { previous_metadata: { other: '1' }, new_metadata: { other: '1', sku: '7' } } }
  })
  changes.setMetadata('a', { sku: '7' })
  t.equal(sent.length, 2)
  changes.setMetadata('a', { sku: null })
  t.match(last(), { resources: { a: { new_metadata: { sku: undefined } } } })
  t.throws(() => changes.setMetadata('a', { nope: '1' }), { name: 'ApiError', status: 400 })
})

t.test('notifies of changed context', async (t) => {
  const { changes, sent, last } = start(t)
  changes.upload({ publicId: 'a' })
  changes.changeContext('a', (before) => ({ ...before, alt: 'x' }))
  t.match(last(), {
    notification_type: 'resource_context_changed',
    resources: { a: { added: [{ name: 'alt', value: 'x' }] } }
  })
  changes.changeContext('a', (before) => before)
  t.equal(sent.length, 2)
})

t.test('renames an asset, and replaces another only with `overwrite`', async (t) => {
  const { changes, cloud, last } = start(t)
  const { asset } = changes.upload({ publicId: 'a' })
  changes.upload({ publicId: 'b' })
  t.throws(() => changes.rename('a', 'b'), {
    name: 'ApiError',
    status: 400,
    message: 'to_public_id (b) already exists'
  })
  t.throws(() => changes.rename('nope', 'c'), { name: 'ApiError', status: 404 })
  changes.rename('a', 'b', { overwrite: true })
  t.match(last(), { notification_type: 'rename', from_public_id: 'a', to_public_id: 'b' })
  t.equal(cloud.assets.find('b'), asset)
  t.equal(cloud.assets.all().length, 1)
  changes.rename('b', 'b', { toType: 'private' })
  t.equal(cloud.assets.find('b', { type: 'private' }), asset)
})

t.test('sends one notification for several deleted assets', async (t) => {
  const { changes, cloud, sent, last } = start(t)
  for (const publicId of ['a', 'b']) changes.upload({ publicId })
  changes.destroy(['a', 'b', 'nope'])
  t.match(last().resources, [{ public_id: 'a' }, { public_id: 'b' }])
  t.equal(cloud.assets.all().length, 0)
  changes.destroy('a')
  t.equal(sent.length, 3)
})

t.test('creates derived assets at once, or notifies of them later', async (t) => {
  const { changes, sent, last } = start(t)
  const { asset } = changes.upload({ publicId: 'a' })
  t.match(changes.derive(asset, 'w_1'), [{ transformation: 'w_1' }])
  t.equal(sent.length, 1)
  t.match(changes.derive(asset, 'w_1|bad', { async: true, notificationUrl: 'http://other.test/' }), [
    { status: 'processing' },
    { status: 'processing' }
  ])
  t.match(last(), {
    notification_type: 'eager',
    eager: [{ transformation: 'w_1' }, { status: 'failed', reason: 'no' }]
  })
  t.equal(sent.at(-1)!.url, 'http://other.test/')
})

t.test('changes details and decides about an asset, each with a notification', async (t) => {
  const { changes, cloud, sent, last } = start(t)
  changes.upload({ publicId: 'a' })
  t.equal(changes.changeDetails('a', { assetFolder: 'new' }).length, 1)
  t.match(last(), { notification_type: 'move', resources: { a: { to_asset_folder: 'new' } } })
  changes.changeDetails('a', { displayName: 'A', accessControl: [{ access_type: 'token' }] })
  t.match(last(), { notification_type: 'access_control_changed' })
  changes.changeDetails('a', { displayName: 'A' })
  t.equal(sent.length, 4)
  changes.moderate('a', 'rejected')
  t.match(last(), {
    notification_type: 'moderation',
    moderation_status: 'rejected',
    moderation_kind: 'manual'
  })
  t.match(last(), { type: undefined, resource_type: undefined })
  changes.moderate('a', 'approved', { moderationKind: 'aws_rek' })
  changes.moderate('a', 'approved')
  const kinds = cloud.assets.find('a')?.moderation.map(({ kind, status }) => [kind, status])
  t.strictSame(kinds, [
    ['aws_rek', 'approved'],
    ['manual', 'approved']
  ])
  t.same(changes.moderate('nope', 'approved'), [])
})

t.test('accepts at most 1,000 assets in a bulk call', async (t) => {
  const { changes } = start(t)
  const ids = Array.from({ length: 1001 }, (_, index) => `id-${index}`)
  t.same(changes.addTags(ids.slice(1), ['x']), [])
  t.throws(() => changes.addTags(ids, ['x']), { name: 'ApiError', status: 400 })
})

t.test('indexes changed assets only', async (t) => {
  const { changes, cloud } = start(t, 'ui', () => 0)
  const found = () =>
    cloud
      .indexed(NOW)
      .map(({ publicId, tags, metadata, context }) => [publicId, ...tags, metadata.sku, context.alt])
  const { asset } = changes.upload({ publicId: 'a' })
  changes.addTags('a', ['x'])
  changes.setMetadata('a', { sku: '7' })
  changes.changeContext('a', () => ({ alt: 'y' }))
  t.strictSame(found(), [['a', 'x', '7', 'y']])
  asset.tags = ['unheard of']
  changes.derive(asset, 'w_1')
  t.strictSame(found(), [['a', 'x', '7', 'y']])
  changes.upload({ publicId: 'b', tags: ['b'] })
  changes.rename('b', 'a', { overwrite: true })
  t.strictSame(found(), [['a', 'b', undefined, undefined]])
  changes.destroy('a')
  t.strictSame(found(), [])
})
