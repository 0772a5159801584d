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

test('keeps the asset id and changes the version', async (t) => {
  const earlier = sampleAsset(sampleContext({ publicId: 'a/b', now }))
  const later = sampleAsset(sampleContext({ publicId: 'a/b', now: new Date('2027-01-01T00:00:00Z') }))
  t.match(earlier.assetId, /^[0-9a-f]{32}$/)
  t.equal(later.assetId, earlier.assetId)
  t.equal(earlier.version, 1770091506)
  t.not(later.versionId, earlier.versionId)
})

test('derives the asset id from cloud, type and public id', async (t) => {
  const ids = [
    sampleAsset(sampleContext()).assetId,
    sampleAsset(sampleContext({ cloudName: 'other' })).assetId,
    sampleAsset(sampleContext({ resourceType: 'video' })).assetId,
    sampleAsset(sampleContext(), 'raw').assetId
  ]
  t.equal(new Set(ids).size, 4)
})

test('uses a given asset id for the first asset only', async (t) => {
  const [first, second] = sampleAssets(sampleContext({ assetId: 'f'.repeat(32), publicId: 'a', count: 2 }))
  t.match(first, { assetId: 'f'.repeat(32), publicId: 'a', folder: '', name: 'a' })
  t.match(second, { assetId: /^[0-9a-f]{32}$/, publicId: 'a-2' })
  t.not(second?.assetId, first?.assetId)
})

test('derives folder and name from the public id', async (t) => {
  t.match(sampleAsset(sampleContext({ publicId: 'shop/bags/brown' })), { folder: 'shop/bags', name: 'brown' })
})

test('identifies an asset by four fields', async (t) => {
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

test('builds delivery URLs', async (t) => {
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

test('formats times like Cloudinary', async (t) => {
  t.match(stamp(sampleContext({ now })), {
    timestamp: '2026-02-03T04:05:06+00:00',
    request_id: /^[0-9a-f]{32}$/
  })
  t.equal(isoSeconds(now), '2026-02-03T04:05:06Z')
  t.equal(unixSeconds(now), 1770091506)
})

test('defaults to the current time', async (t) => {
  const before = Date.now()
  const { now } = sampleContext()
  t.ok(now.getTime() >= before && now.getTime() <= Date.now())
})

test('derives digits from the seed', async (t) => {
  t.equal(hex('a', 96), hex('a', 96))
  t.equal(hex('a', 96).length, 96)
  t.not(hex('a', 8), hex('b', 8))
})
