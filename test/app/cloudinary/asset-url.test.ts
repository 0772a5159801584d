import { createHash } from 'node:crypto'
import t from 'tap'
import { assetUrl } from '../../../app/cloudinary/asset-url.ts'
import { loadSdk } from '../../../app/cloudinary/sdk.ts'
import type { Asset } from '../../../app/ingest/event.ts'

const sdk = loadSdk()
const environment = { cloudName: 'demo', apiKey: '1', apiSecret: 'a-secret' }
const image: Asset = { publicId: 'shop/bag', resourceType: 'image', deliveryType: 'upload', version: 7 }

const urlOf = (asset: Asset, like?: unknown, more: object = {}) =>
  assetUrl(sdk, { ...environment, ...more }, asset, { transformation: 'c_fill,w_150', format: 'jpg', like })

t.test('returns the URL of a derived image on the shared host', async (t) => {
  const origin = 'https://res.cloudinary.com/demo'
  t.equal(urlOf(image), `${origin}/image/upload/c_fill,w_150/v7/shop/bag.jpg`)
  t.equal(urlOf({ ...image, resourceType: 'video' }), `${origin}/video/upload/c_fill,w_150/v7/shop/bag.jpg`)
  t.equal(
    urlOf({ publicId: 'täsche 1', resourceType: 'image', deliveryType: 'upload' }),
    `${origin}/image/upload/c_fill,w_150/t%C3%A4sche%201.jpg`
  )
})

t.test('signs the URL of an asset that is not public', async (t) => {
  for (const [deliveryType, algorithm] of [
    ['private', 'sha1'],
    ['authenticated', 'sha256']
  ] as const) {
    const signature = createHash(algorithm)
      .update('c_fill,w_150/shop/bag.jpga-secret')
      .digest('base64url')
      .slice(0, 8)
    t.equal(
      urlOf({ ...image, deliveryType }, undefined, { signatureAlgorithm: algorithm }),
      `https://res.cloudinary.com/demo/image/${deliveryType}/s--${signature}--/c_fill,w_150/v7/shop/bag.jpg`
    )
  }
})

t.test('uses the host of another delivery URL', async (t) => {
  const path = 'image/upload/c_fill,w_150/v7/shop/bag.jpg'
  for (const [like, expected] of [
    ['https://demo-res.cloudinary.com/image/upload/v1/a.png', `https://demo-res.cloudinary.com/${path}`],
    ['https://images.example/demo/image/upload/v1/a.png', `https://images.example/demo/${path}`],
    ['http://127.0.0.1:4000/demo/image/upload/v1/a.png', `http://127.0.0.1:4000/demo/${path}`],
    ['javascript:alert(1)', `https://res.cloudinary.com/demo/${path}`],
    [7, `https://res.cloudinary.com/demo/${path}`]
  ]) {
    t.equal(urlOf(image, like), expected)
  }
})

t.test('returns no URL without a picture or with an unknown kind', async (t) => {
  for (const change of [
    { resourceType: 'raw' },
    { deliveryType: 'fetch' },
    { publicId: '100%' },
    { publicId: undefined },
    { resourceType: undefined },
    { deliveryType: undefined }
  ]) {
    t.equal(urlOf({ ...image, ...change } as Asset), undefined, JSON.stringify(change))
  }
})
