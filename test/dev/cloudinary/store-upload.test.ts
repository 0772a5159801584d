import t from 'tap'
import { Cloud } from '../../../dev/cloudinary/cloud.ts'
import { storeUpload } from '../../../dev/cloudinary/store-upload.ts'
import { environment } from './sdk.ts'

const by = { now: 5_000, by: '1' }

t.test('without options, generates a public ID and stores one red pixel', async (t) => {
  const cloud = new Cloud(environment)
  const { asset, ...flags } = storeUpload(cloud, {}, by)
  t.match(asset, {
    publicId: /^[0-9a-f]{20}$/,
    assetId: /^[0-9a-f]{32}$/,
    version: 5,
    width: 1,
    format: 'png'
  })
  t.same(flags, {})
  t.equal(cloud.assets.find(asset.publicId), asset)
})

t.test('stores declared values', async (t) => {
  const cloud = new Cloud(environment)
  cloud.metadataFields.create({ external_id: 'sku', label: 'SKU', type: 'integer' })
  const { asset } = storeUpload(
    cloud,
    {
      publicId: 'f/a',
      resourceType: 'video',
      type: 'private',
      media: { bytes: 500_000_000, duration: 60 },
      tags: ['x'],
      context: { alt: 'y' },
      metadata: { sku: '7' },
      assetFolder: 'f',
      displayName: 'A',
      originalFilename: 'cat'
    },
    by
  )
  t.match(asset, { bytes: 500_000_000, duration: 60, format: 'png', displayName: 'A', metadata: { sku: 7 } })
  t.equal(storeUpload(cloud, { publicId: 'f/a' }, by).asset.displayName, 'a')
  t.throws(() => storeUpload(cloud, { publicId: 'b', metadata: { nope: '1' } }, by), {
    name: 'ApiError',
    status: 400
  })
  t.equal(cloud.assets.find('b'), undefined)
})

t.test('stores the content, and what it reveals about the file', async (t) => {
  const cloud = new Cloud(environment)
  const raw = storeUpload(cloud, { publicId: 'a.csv', resourceType: 'raw', content: 'a;ü' }, by)
  t.match(raw.asset, { bytes: 4, content: Buffer.from('a;ü') })
  const image = storeUpload(cloud, { publicId: 'a', content: Buffer.from('xyz') }, by)
  t.match(image.asset, { bytes: 3, content: Buffer.from('xyz') })
})

t.test('an overwrite keeps the asset ID and increases the version, even within a second', async (t) => {
  const cloud = new Cloud(environment)
  const first = storeUpload(cloud, { publicId: 'a', tags: ['x'] }, by)
  const second = storeUpload(cloud, { publicId: 'a' }, by)
  t.equal(second.overwritten, true)
  t.equal(second.asset.assetId, first.asset.assetId)
  t.equal(second.asset.version, first.asset.version + 1)
  t.same(second.asset.tags, [])
  t.equal(cloud.assets.all().length, 1)
})

t.test('does not change an existing asset if `overwrite` is false', async (t) => {
  const cloud = new Cloud(environment)
  const first = storeUpload(cloud, { publicId: 'a', tags: ['x'] }, by)
  t.same(storeUpload(cloud, { publicId: 'a', overwrite: false }, by), { asset: first.asset, existing: true })
  t.same(storeUpload(cloud, { publicId: 'b', overwrite: false }, by).existing, undefined)
})
