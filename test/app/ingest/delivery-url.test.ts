import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { kindInDeliveryUrl } from '../../../app/ingest/delivery-url.ts'
import { anyCharacter } from '../../support/any-character.ts'

const RES = 'https://res.cloudinary.com/demo'

t.test('reads the kind from a delivery URL', async (t) => {
  const kinds: [url: string, publicId: string, resourceType: string, deliveryType: string][] = [
    [`${RES}/video/upload/v1584658428/ugc/clip.mp4`, 'ugc/clip', 'video', 'upload'],
    ['http://res.cloudinary.com/demo/image/private/v1/bag.jpg', 'bag', 'image', 'private'],
    [`${RES}/image/authenticated/s--AbCd1234--/v1/bag.jpg`, 'bag', 'image', 'authenticated'],
    [`${RES}/image/upload/s--AbCd1234--/c_fill,w_4/e_blur/v1/shop/bag.jpg`, 'shop/bag', 'image', 'upload'],
    [`${RES}/video/upload/sp_full_hd/v1/clip.m3u8`, 'clip', 'video', 'upload'],
    [`${RES}/raw/upload/v1/bulk/june.csv`, 'bulk/june.csv', 'raw', 'upload'],
    [`${RES}/image/upload/bag`, 'bag', 'image', 'upload'],
    [`${RES}/image/sprite/v1/logo.png`, 'logo', 'image', 'sprite'],
    [`${RES}/image/upload/v1/a.b.jpg`, 'a.b', 'image', 'upload'],
    ['https://demo-res.cloudinary.com/video/upload/v1/clip.mp4', 'clip', 'video', 'upload'],
    ['https://media.example.com/raw/private/v1/a.csv', 'a.csv', 'raw', 'private'],
    ['https://media.example.com/image/upload/upload/bag.jpg?_a=1#x', 'upload/bag', 'image', 'upload'],
    ['https://res.cloudinary.com/video/image/upload/v1/bag.jpg', 'bag', 'image', 'upload'],
    [`${RES}/image/upload/v1/100%.jpg`, '100%', 'image', 'upload']
  ]
  for (const [url, publicId, resourceType, deliveryType] of kinds) {
    t.strictSame(kindInDeliveryUrl(url, publicId), { resourceType, deliveryType }, url)
  }
})

t.test('returns undefined for other URLs and other assets', async (t) => {
  const others: [url: unknown, publicId: string][] = [
    [`${RES}/image/upload/v1/hat.jpg`, 'bag'],
    [`${RES}/image/upload/v1/handbag.jpg`, 'bag'],
    [`${RES}/raw/upload/v1/june.csv`, 'june'],
    [`${RES}/image/bags/v1/bag.jpg`, 'bag'],
    [`${RES}/images/bag/seo.jpg`, 'bag'],
    ['https://example.com/a/b/image/upload/bag.jpg', 'bag'],
    ['https://example.com/bag.jpg', 'bag'],
    ['https://example.com', 'bag'],
    ['ftp://res.cloudinary.com/demo/image/upload/v1/bag.jpg', 'bag'],
    ['/demo/image/upload/v1/bag.jpg', 'bag'],
    ['bag', 'bag'],
    ['', 'bag'],
    [undefined, 'bag'],
    [null, 'bag'],
    [{ toString: 1 }, 'bag'],
    [['https://res.cloudinary.com/demo/image/upload/v1/bag.jpg'], 'bag']
  ]
  for (const [url, publicId] of others) t.equal(kindInDeliveryUrl(url, publicId), undefined, String(publicId))
})

const segment = fc
  .string({ unit: fc.constantFrom(...'abcxyz019_- .ü日+&'), minLength: 1, maxLength: 8 })
  .filter((text) => !/^\.+$/.test(text) && text === text.trim())
const publicIds = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const hosts = fc.oneof(
  fc.constantFrom('demo', 'image', 'video', 'upload', 'c-1').map((cloud) => `res.cloudinary.com/${cloud}`),
  fc.constantFrom('demo-res.cloudinary.com', 'media.example.com')
)

t.test('reads the kind with any host, cloud, signature, transformation, version and public id', async () => {
  const optional = (text: string) => fc.constantFrom('', text)
  fc.assert(
    fc.property(
      fc.record({
        host: hosts,
        resourceType: fc.constantFrom('image', 'video', 'raw'),
        deliveryType: fc.constantFrom('upload', 'private', 'authenticated'),
        signature: optional('s--Ab_-1234--/'),
        transformation: optional('c_limit,w_640/q_auto/'),
        version: optional('v1584658428/'),
        publicId: publicIds,
        format: fc.constantFrom('jpg', 'mp4', 'm3u8'),
        isEncoded: fc.boolean()
      }),
      ({ host, resourceType, deliveryType, publicId, isEncoded, ...about }) => {
        const name = isEncoded ? publicId.split('/').map(encodeURIComponent).join('/') : publicId
        const file = resourceType === 'raw' ? name : `${name}.${about.format}`
        const before = about.signature + about.transformation + about.version
        const url = `https://${host}/${resourceType}/${deliveryType}/${before}${file}`
        assert.deepEqual(kindInDeliveryUrl(url, publicId), { resourceType, deliveryType }, url)
      }
    )
  )
})

t.test('never throws', async () => {
  const anyUrl = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.string({ unit: anyCharacter }).map((text) => `${RES}/image/upload/${text}`),
    fc.webUrl({ withFragments: true, withQueryParameters: true })
  )
  fc.assert(
    fc.property(anyUrl, fc.string({ unit: anyCharacter }), (url, publicId) => {
      const kind = kindInDeliveryUrl(url, publicId)
      assert.ok(kind === undefined || kind.resourceType === 'image')
    })
  )
})
