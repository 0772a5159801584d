import t from 'tap'
import { isIdentified, kindOf, unidentified } from '../../../app/cloudinary/identified-asset.ts'

const BAG = { publicId: 'bag', resourceType: 'video', deliveryType: 'private' }

t.test('an asset is identified by public id, resource type and delivery type', async (t) => {
  t.ok(isIdentified(BAG))
  for (const name of ['publicId', 'resourceType', 'deliveryType'] as const) {
    const { [name]: _, ...rest } = BAG
    t.notOk(isIdentified({ ...rest, assetId: 'a' }), name)
    t.notOk(isIdentified({ ...BAG, [name]: '' }), name)
  }
})

t.test('its kind is what the API calls it', async (t) => {
  t.strictSame(kindOf(BAG), { resource_type: 'video', type: 'private' })
})

t.test('what is missing is said, and no retry can bring it', async (t) => {
  const error = unidentified({ publicId: 'bag', resourceType: 'video' })
  t.match(error, { code: 'ASSET_KIND_UNKNOWN', fault: { kind: 'permanent' }, message: /deliveryType/ })
  t.notMatch(error.message, /publicId|resourceType/)
})
