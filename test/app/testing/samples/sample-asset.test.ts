import { test } from 'tap'
import {
  addresses,
  hex,
  identity,
  isoSeconds,
  sampleAsset,
  sampleAssets,
  sampleContext,
  stamp,
  unixSeconds
} from '../../../../app/testing/samples/sample-asset.ts'

const now = new Date('2026-02-03T04:05:06.789Z')

test('an asset keeps its id over time, and gets a version with each upload', async (t) => {
  const earlier = sampleAsset(sampleContext({ publicId: 'a/b', now }))
  const later = sampleAsset(sampleContext({ publicId: 'a/b', now: new Date('2027-01-01T00:00:00Z') }))
  t.match(earlier.assetId, /^[0-9a-f]{32}$/)
  t.equal(later.assetId, earlier.assetId)
  t.equal(earlier.version, 1770091506)
  t.not(later.versionId, earlier.versionId)
})

test('clouds and resource types with the same public id have different assets', async (t) => {
  const ids = [
    sampleAsset(sampleContext()).assetId,
    sampleAsset(sampleContext({ cloudName: 'other' })).assetId,
    sampleAsset(sampleContext({ resourceType: 'video' })).assetId,
    sampleAsset(sampleContext(), 'raw').assetId
  ]
  t.equal(new Set(ids).size, 4)
})

test('an asset id that is given is the first asset, and the others are derived', async (t) => {
  const [first, second] = sampleAssets(sampleContext({ assetId: 'f'.repeat(32), publicId: 'a', count: 2 }))
  t.match(first, { assetId: 'f'.repeat(32), publicId: 'a', folder: '', name: 'a' })
  t.match(second, { assetId: /^[0-9a-f]{32}$/, publicId: 'a-2' })
  t.not(second?.assetId, first?.assetId)
})

test('an asset is named by its folder and the last part of its public id', async (t) => {
  t.match(sampleAsset(sampleContext({ publicId: 'shop/bags/brown' })), { folder: 'shop/bags', name: 'brown' })
})

test('an asset is identified by four fields', async (t) => {
  const asset = sampleAsset(
    sampleContext({ assetId: 'e'.repeat(32), publicId: 'clip', resourceType: 'video' })
  )
  t.strictSame(identity(asset), {
    asset_id: 'e'.repeat(32),
    public_id: 'clip',
    resource_type: 'video',
    type: 'upload'
  })
})

test('an address holds cloud, resource type, transformation, version and public id', async (t) => {
  const context = sampleContext({ cloudName: 'shop', publicId: 'a/b', now })
  t.strictSame(addresses(context, sampleAsset(context)), {
    url: 'http://res.cloudinary.com/shop/image/upload/v1770091506/a/b.jpg',
    secure_url: 'https://res.cloudinary.com/shop/image/upload/v1770091506/a/b.jpg'
  })
  t.equal(
    addresses(context, sampleAsset(context, 'video'), { transformation: 'sp_full_hd', format: 'm3u8' }).url,
    'http://res.cloudinary.com/shop/video/upload/sp_full_hd/v1770091506/a/b.m3u8'
  )
  t.equal(
    addresses(context, sampleAsset(context, 'raw')).url,
    'http://res.cloudinary.com/shop/raw/upload/v1770091506/a/b'
  )
})

test('times are written as Cloudinary writes them', async (t) => {
  t.match(stamp(sampleContext({ now })), {
    timestamp: '2026-02-03T04:05:06+00:00',
    request_id: /^[0-9a-f]{32}$/
  })
  t.equal(isoSeconds(now), '2026-02-03T04:05:06Z')
  t.equal(unixSeconds(now), 1770091506)
})

test('without a time, a sample is of now', async (t) => {
  const before = Date.now()
  const { now } = sampleContext()
  t.ok(now.getTime() >= before && now.getTime() <= Date.now())
})

test('hexadecimal digits are the same for the same seed', async (t) => {
  t.equal(hex('a', 96), hex('a', 96))
  t.equal(hex('a', 96).length, 96)
  t.not(hex('a', 8), hex('b', 8))
})
