import t from 'tap'
import { AssetStore } from '../../../dev/cloudinary/asset-store.ts'
import { assetWith } from './fixtures.ts'

t.test('a public ID is unique only within a resource type and a type', async (t) => {
  const store = new AssetStore()
  const image = assetWith()
  const video = assetWith({ assetId: 'v', resourceType: 'video', type: 'private' })
  store.add(image)
  store.add(video)
  t.equal(store.find('a'), image)
  t.equal(store.find('a', { resourceType: 'video', type: 'private' }), video)
  t.equal(store.find('a', { resourceType: 'video' }), undefined)
  t.equal(store.findById('v'), video)
  t.same(store.all(), [image, video])
  store.remove(image)
  t.equal(store.find('a'), undefined)
  t.same(store.all(), [video])
})

t.test('a renamed asset keeps its asset ID', async (t) => {
  const store = new AssetStore()
  const asset = assetWith()
  store.add(asset)
  store.rename(asset, 'b', 'private')
  t.equal(store.find('a'), undefined)
  t.equal(store.find('b', { type: 'private' }), asset)
  t.equal(store.findById(asset.assetId), asset)
})
