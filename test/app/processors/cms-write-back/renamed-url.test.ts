import { v2 } from 'cloudinary'
import t from 'tap'
import { renamedUrl } from '../../../../app/processors/cms-write-back/renamed-url.ts'

const BAG = { publicId: 'shop/bag', resourceType: 'image', deliveryType: 'upload' }
const HOST = 'https://res.cloudinary.com/demo/image/upload'

const renamed = (url: string, publicId = 'new/bag & co', version: number | undefined = 7, from = BAG) =>
  renamedUrl(url, from, { ...from, publicId }, version)

t.test('keeps host, transformation and format', async (t) => {
  const name = 'new/bag%20%26%20co'
  for (const [url, expected] of [
    [`${HOST}/v1/shop/bag.png`, `${HOST}/v7/${name}.png`],
    [`${HOST}/shop/bag`, `${HOST}/${name}`],
    [`${HOST}/c_fill,h_100/q_auto/v1/shop/bag.jpg?a=1`, `${HOST}/c_fill,h_100/q_auto/v7/${name}.jpg?a=1`],
    [
      'https://img.example.com/image/upload/v1/shop/bag.png',
      `https://img.example.com/image/upload/v7/${name}.png`
    ]
  ] as const) {
    t.equal(renamed(url), expected)
  }
  t.equal(
    renamedUrl(`${HOST}/v1/shop/bag.png`, BAG, { ...BAG, publicId: 'a' }, undefined),
    `${HOST}/v1/a.png`
  )
})

t.test('sets only the version of an asset with the same name', async (t) => {
  t.equal(renamed(`${HOST}/v1/shop/bag.png`, 'shop/bag'), `${HOST}/v7/shop/bag.png`)
  t.equal(renamed(`${HOST}/shop/bag.png`, 'shop/bag'), `${HOST}/shop/bag.png`)
  const signed = `${HOST}/s--Ab_-12cd--/w_1/v1/shop/bag.png`
  t.equal(renamed(signed, 'shop/bag'), signed.replace('v1', 'v7'))
})

t.test('keeps the URL of an asset with the same name and version as it was written', async (t) => {
  for (const url of [
    `${HOST}/v7/shop/b%61g.png#a`,
    `${HOST}/c_fill,l_a b/v7/shop/bag.png?_a=1#top`,
    `${HOST}/shop/bag.png#a`
  ]) {
    t.equal(renamed(url, 'shop/bag'), url)
  }
})

t.test('any host and path may come first, as the SDK writes them', async (t) => {
  for (const options of [
    {},
    { private_cdn: true },
    { cdn_subdomain: true },
    { cdn_subdomain: true, private_cdn: true },
    { secure_distribution: 'img.example.com' },
    { secure_distribution: 'img.example.com', private_cdn: true },
    { secure: false, cname: 'img.example.com' },
    { secure: false, cname: 'img.example.com', private_cdn: true },
    { secure_distribution: 'www.example.com/media' }
  ]) {
    const urlOf = (publicId: string, version: number) =>
      v2
        .url(publicId, {
          cloud_name: 'demo',
          secure: true,
          urlAnalytics: false,
          version,
          format: 'png',
          transformation: { width: 100, crop: 'fill' },
          ...options
        })
        // with subdomains, the number depends on the public id
        .replace(/-\d\./, '-1.')
    t.equal(renamed(urlOf('shop/bag', 1), 'shop/new'), urlOf('shop/new', 7), urlOf('shop/bag', 1))
  }
})

t.test('the extension of a raw asset is part of its public id', async (t) => {
  const raw = { publicId: 'a.csv', resourceType: 'raw', deliveryType: 'upload' }
  const host = 'https://res.cloudinary.com/demo/raw/upload'
  t.equal(renamed(`${host}/v1/a.csv`, 'b.csv', 7, raw), `${host}/v7/b.csv`)
  t.equal(renamed(`${host}/v1/a.csv.zip`, 'b.csv', 7, raw), undefined)
})

t.test('a public id may contain dots and spaces', async (t) => {
  const from = { ...BAG, publicId: 'a b.c' }
  t.equal(renamed(`${HOST}/v1/a%20b.c.png`, 'd', 7, from), `${HOST}/v7/d.png`)
  t.equal(renamed(`${HOST}/v1/a%20b.c`, 'd', 7, from), `${HOST}/v7/d`)
})

t.test('returns undefined for URLs that it cannot rename', async (t) => {
  for (const url of [
    'not a URL',
    'cms:/demo/image/upload/v1/shop/bag.png',
    '//res.cloudinary.com/demo/image/upload/v1/shop/bag.png',
    'https://res.cloudinary.com/demo/video/upload/v1/shop/bag.mp4',
    'https://res.cloudinary.com/demo/images/v1/shop/bag/seo.png',
    `${HOST}/v1/other/bag.png`,
    `${HOST}/v1/shop/bags/x.png`,
    // of other assets, whose public ids end alike
    `${HOST}/v1/old/shop/bag.png`,
    `${HOST}/old/shop/bag.png`,
    `${HOST}/w_1/v1/my_old/shop/bag.png`,
    `${HOST}/bag.png`,
    `${HOST}/s--Ab_-12cd--/v1/shop/bag.png`
  ]) {
    t.equal(renamed(url), undefined, url)
  }
  t.equal(renamedUrl(`${HOST}/v1/shop/bag.png`, BAG, { ...BAG, deliveryType: 'private' }, 7), undefined)
})
