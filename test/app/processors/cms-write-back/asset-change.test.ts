import t, { type Test } from 'tap'
import type { AssetEvent, CloudinaryClient } from '../../../../app/listener.ts'
import { type AssetChange, changeOf } from '../../../../app/processors/cms-write-back/asset-change.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { sampleEvent } from '../../../support/events.ts'

/** A stand-in with an image in it. */
async function build(t: Test, publicId = 'shop/bag') {
  const { cloudinary, clients } = await buildCloudinary(t)
  const { asset } = cloudinary.as().upload({ publicId, tags: ['new'] })
  const client: CloudinaryClient = clients.for('demo', new AbortController().signal)
  const about = { publicId: asset.publicId, assetId: asset.assetId }
  return { cloudinary, asset, about, change: (event: AssetEvent) => changeOf(event, client) }
}
const held = (publicId: string, fields: object = {}) => ({
  public_id: publicId,
  resource_type: 'image',
  type: 'upload',
  ...fields
})

t.test('finds and updates objects in content', async (t) => {
  const { about, change, asset } = await build(t)
  const tagged = (await change(sampleEvent('resource_tags_changed', about))) as AssetChange
  t.match(tagged, { kind: 'update', assetId: asset.assetId, names: [{ publicId: 'shop/bag' }] })
  const content = { hero: [held('shop/bag', { tags: [] })] }
  t.ok(tagged.isIn(content))
  t.notOk(tagged.isIn({ hero: [held('hat')] }))
  const url = 'https://res.cloudinary.com/other/image/upload/v1/shop/bag.png'
  t.notOk(tagged.isIn({ hero: [held('shop/bag', { url })] }), 'of another cloud')
  t.strictSame(tagged.applyTo(content), { hero: [held('shop/bag', { tags: ['new'] })] })
  const current = { hero: [held('shop/bag', { tags: ['new'] })] }
  t.equal(tagged.applyTo(current), current)
})

t.test('a rename has two names, of which the old one ends', async (t) => {
  const { about, change, cloudinary } = await build(t, 'bag-renamed')
  const rename = sampleEvent('rename', { ...about, publicId: 'bag' })
  const lost = {
    resourceType: 'image',
    deliveryType: 'upload',
    until: Math.ceil(Date.parse(rename.occurredAt) / 1000)
  }
  const renamed = (await change(rename)) as AssetChange
  t.strictSame(renamed.names, [
    { publicId: 'bag-renamed', resourceType: 'image', deliveryType: 'upload' },
    { publicId: 'bag', ...lost }
  ])
  t.strictSame(renamed.applyTo([held('bag')]), [held('bag-renamed')])
  cloudinary.ui().rename('bag-renamed', 'bag-renamed', { toType: 'private' })
  const payload = { ...rename.payload, type: 'upload', to_type: 'private' }
  const retyped = (await change({
    ...rename,
    asset: { ...rename.asset, deliveryType: 'private' },
    payload
  })) as AssetChange
  t.match(retyped.names, [{ deliveryType: 'private' }, { publicId: 'bag', deliveryType: 'upload' }])
  const unclear = { ...rename, payload: { ...rename.payload, type: undefined, from_public_id: undefined } }
  t.equal(((await change(unclear)) as AssetChange).names.length, 1)
  const kindless = { ...rename, payload: { ...rename.payload, type: undefined } }
  t.match(((await change(kindless)) as AssetChange).names, [{}, { publicId: 'bag', deliveryType: 'private' }])
})

t.test('a deletion removes', async (t) => {
  const { about, change, cloudinary, asset } = await build(t)
  cloudinary.ui().destroy('shop/bag')
  const deletion = (await change(sampleEvent('delete', about))) as AssetChange
  t.match(deletion, { kind: 'delete', assetId: asset.assetId, state: undefined })
  t.strictSame(deletion.applyTo([held('shop/bag'), held('hat')]), [held('hat')])
  t.match(await change(sampleEvent('delete_by_token', about)), { kind: 'delete' })
})

t.test('a deletion without kind matches the asset id only', async (t) => {
  const { about, change } = await build(t)
  const deletion = (await change(sampleEvent('delete', { ...about, variant: 'without-kind' }))) as AssetChange
  t.strictSame(deletion.names, [])
  t.strictSame(deletion.applyTo([held('shop/bag'), held('x', { asset_id: about.assetId })]), [
    held('shop/bag')
  ])
  await t.rejects(change(sampleEvent('delete', { ...about, variant: 'by-public-id' })), {
    code: 'ASSET_KIND_UNKNOWN'
  })
})

t.test('does nothing if an asset has the name of the deleted one again', async (t) => {
  const { about, change } = await build(t)
  t.match(await change(sampleEvent('delete', about)), /^skipped: .* again/)
})

t.test('follows a rename, and skips a deleted asset', async (t) => {
  const { about, change, cloudinary } = await build(t)
  cloudinary.ui().rename('shop/bag', 'shop/boot')
  const tags = sampleEvent('resource_tags_changed', about)
  t.match(await change(tags), { names: [{ publicId: 'shop/boot' }] })
  const { asset_id, ...payload } = tags.payload
  const { assetId, ...asset } = tags.asset!
  t.match(await change({ ...tags, payload, asset }), /^skipped: the asset was deleted/)
  cloudinary.ui().destroy('shop/boot')
  t.match(await change(tags), /^skipped: the asset was deleted/)
})

t.test('skips events without an asset, and assets that are not stored', async (t) => {
  const { about, change } = await build(t)
  const tags = sampleEvent('resource_tags_changed', about)
  t.match(await change({ ...tags, asset: null }), /^skipped/)
  t.match(await change({ ...tags, asset: { ...tags.asset, deliveryType: 'fetch' } }), /^skipped: .*fetch/)
})

t.test('throws the errors of Cloudinary', async (t) => {
  const { about, change, cloudinary } = await build(t)
  for (const type of ['resource_tags_changed', 'delete'] as const) {
    cloudinary.faults.add({ kind: 'status', status: 503, count: 1 })
    await t.rejects(change(sampleEvent(type, about)), { code: 'CLOUDINARY_UNAVAILABLE' })
  }
})
