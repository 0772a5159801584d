import fc from 'fast-check'
import t from 'tap'
import { thumbnail, thumbnailUrl } from '../../../../app/activity/pages/delivery-thumbnail.ts'
import type { Asset } from '../../../../app/ingest/event.ts'
import { activityEvent, HOSTILE } from '../../../support/activity-events.ts'
import { anyCharacter } from '../../../support/any-character.ts'

const asset = { publicId: 'shoes/red', resourceType: 'image', deliveryType: 'upload', version: 12 }
const urlOf = (changes: Partial<Asset> = {}, type: 'upload' | 'delete' = 'upload') =>
  thumbnailUrl({ asset: { ...asset, ...changes }, environment: 'demo', type })

t.test('an image and a video are delivered as a small square', async (t) => {
  t.equal(
    urlOf(),
    'https://res.cloudinary.com/demo/image/upload/c_fill,w_96,h_96,q_auto,f_auto/v12/shoes/red'
  )
  t.equal(
    urlOf({ resourceType: 'video' }),
    'https://res.cloudinary.com/demo/video/upload/c_fill,w_96,h_96,q_auto/v12/shoes/red.jpg'
  )
  const { version: _, ...unversioned } = asset
  t.match(thumbnailUrl({ asset: unversioned, environment: 'demo', type: 'upload' }), /f_auto\/shoes\/red$/)
})

t.test('an asset that cannot be delivered has no URL', async (t) => {
  t.equal(urlOf({ deliveryType: 'authenticated' }), undefined)
  t.equal(urlOf({ resourceType: 'raw' }), undefined)
  t.equal(urlOf({ publicId: '' }), undefined)
  t.equal(urlOf({}, 'delete'), undefined)
  t.equal(thumbnailUrl({ asset: null, environment: 'demo', type: 'create_folder' }), undefined)
})

t.test('the URL stays on the delivery host for any public id and environment', async () => {
  const value = fc.oneof(
    fc.string({ minLength: 1, unit: anyCharacter }),
    fc.constantFrom(HOSTILE, '../../x', '//evil.example/', '\\..\\', '?a#b')
  )
  fc.assert(
    fc.property(value, value, (publicId, environment) => {
      const url = thumbnailUrl({
        asset: { ...asset, publicId },
        environment: environment.toWellFormed(),
        type: 'upload'
      })
      const parsed = new URL(url!)
      return parsed.origin === 'https://res.cloudinary.com' && parsed.search === '' && parsed.hash === ''
    })
  )
})

t.test('the box behind the image shows the resource type', async (t) => {
  const event = activityEvent('upload')
  t.match(thumbnail(event).toString(), /class="thumb small".*<span>IMG<\/span><img src="https:\/\/res/s)
  t.match(thumbnail({ ...event, asset: null }, 'large').toString(), /thumb large.*CLOUD/)
  t.match(thumbnail({ ...event, asset: { publicId: 'a' } }).toString(), /ASSET/)
  t.match(thumbnail({ ...event, asset: { resourceType: 'hologram' } }).toString(), />holog</)
  t.notMatch(thumbnail({ ...event, asset: { resourceType: 'raw' } }).toString(), /<img/)
})
