import t from 'tap'
import { isStored } from '../../../app/processors/stored-asset.ts'

t.test('Cloudinary stores uploads of any access', async (t) => {
  for (const deliveryType of ['upload', 'private', 'authenticated']) t.ok(isStored({ deliveryType }))
  for (const deliveryType of ['fetch', 'youtube']) t.notOk(isStored({ deliveryType }))
  t.ok(isStored({}))
})
