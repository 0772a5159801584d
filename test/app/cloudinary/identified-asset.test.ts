import t from 'tap'
import { isIdentified, kindOf, kindUnknownError } from '../../../app/cloudinary/identified-asset.ts'

const BAG = { publicId: 'bag', resourceType: 'video', deliveryType: 'private' }

t.test('public id, resource type and delivery type identify an asset', async (t) => {
  t.ok(isIdentified(BAG))
  for (const name of ['publicId', 'resourceType', 'deliveryType'] as const) {
    const { [name]: _, ...rest } = BAG
    t.notOk(isIdentified({ ...rest, assetId: 'a' }), name)
    t.notOk(isIdentified({ ...BAG, [name]: '' }), name)
  }
})

t.test('returns the kind in the terms of the API', async (t) => {
  t.strictSame(kindOf(BAG), { resource_type: 'video', type: 'private' })
})

t.test('names the missing fields in a permanent error', async (t) => {
  const error = kindUnknownError({ publicId: 'bag', resourceType: 'video' })
  t.match(error, { code: 'ASSET_KIND_UNKNOWN', failure: { kind: 'permanent' }, message: /deliveryType/ })
  t.notMatch(error.message, /publicId|resourceType/)
})
