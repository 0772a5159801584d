import t from 'tap'
import type { AssetState } from '../../../../app/cloudinary/client.ts'
import {
  isReference,
  REMOVED,
  replaceReferences,
  updateReference
} from '../../../../app/processors/cms-write-back/referenced-asset.ts'

const HOST = 'res.cloudinary.com/demo/image/upload'
const NAME = { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }
const BAG = { public_id: 'bag', resource_type: 'image', type: 'upload' }
const HELD = { assetId: 'a1', names: [NAME, { ...NAME, publicId: 'old', until: 1000 }] }
const STATE: AssetState = {
  asset_id: 'a1',
  public_id: 'shop/bag',
  resource_type: 'image',
  type: 'upload',
  version: 7,
  tags: ['new', 'sale'],
  display_name: 'A bag',
  asset_folder: 'shop',
  url: `http://${HOST}/v7/shop/bag.png`,
  secure_url: `https://${HOST}/v7/shop/bag.png`
}

t.test('an object is the asset by its id, or by its whole name', async (t) => {
  t.ok(isReference(BAG, HELD))
  t.ok(isReference({ asset_id: 'a1' }, HELD))
  t.ok(isReference({ ...BAG, asset_id: null }, HELD))
  t.ok(isReference({ ...BAG, asset_id: 'a2' }, { ...HELD, assetId: undefined }))
  t.notOk(isReference({ ...BAG, asset_id: 'a2' }, HELD), 'another asset had the name')
  for (const other of [
    { resource_type: 'video' },
    { type: 'private' },
    { public_id: 'bags' },
    { type: undefined }
  ]) {
    t.notOk(isReference({ ...BAG, ...other }, HELD))
  }
})

t.test('an object with a URL of another cloud is another asset, unless it has the id', async (t) => {
  const held = { ...HELD, cloudName: 'demo' }
  const other = { ...BAG, url: 'http://res.cloudinary.com/other/image/upload/v1/bag.png' }
  t.notOk(isReference(other, held))
  t.ok(isReference({ ...other, asset_id: 'a1' }, held))
  t.ok(isReference({ ...BAG, secure_url: `https://${HOST}/v1/bag.png` }, held))
  for (const [url, expected] of [
    ['https://cdn.example.com/image/upload/v1/bag.png', true],
    ['https://cdn.example.com/other/image/upload/v1/bag.png', true],
    ['https://demo-res.cloudinary.com/image/upload/v1/bag.png', true],
    ['https://demo-res-3.cloudinary.com/image/upload/v1/bag.png', true],
    ['https://res-3.cloudinary.com/demo/image/upload/v1/bag.png', true],
    ['https://res.cloudinary.com', true],
    ['bag.png', true],
    ['https://other-res.cloudinary.com/image/upload/v1/bag.png', false],
    ['https://res-3.cloudinary.com/other/image/upload/v1/bag.png', false]
  ] as const) {
    t.equal(isReference({ ...BAG, secure_url: url }, held), expected, url)
  }
  // the SDK for Node.js keeps underscores, others replace them
  for (const cloud of ['my-shop', 'My_shop']) {
    const url = `https://${cloud}-res.cloudinary.com/image/upload/v1/bag.png`
    t.ok(isReference({ ...BAG, url }, { ...HELD, cloudName: 'My_shop' }), url)
  }
  const url = 'https://res.cloudinary.com/my-shop/image/upload/v1/bag.png'
  t.notOk(isReference({ ...BAG, url }, { ...HELD, cloudName: 'my_shop' }), 'a path states the exact name')
})

t.test('what was uploaded after the asset lost its name is another asset', async (t) => {
  t.ok(isReference({ ...BAG, public_id: 'old' }, HELD))
  t.ok(isReference({ ...BAG, public_id: 'old', version: 1000 }, HELD))
  t.notOk(isReference({ ...BAG, public_id: 'old', version: 1001 }, HELD))
  t.notOk(isReference({ ...BAG, public_id: 'old', version: '1001' }, HELD))
  t.ok(isReference({ ...BAG, version: 9999 }, HELD))
})

t.test('replaces at any depth, and shares what did not change', async (t) => {
  const content = { hero: BAG, gallery: [{ title: 'a' }, BAG], other: { list: [1, null, 'a'] }, none: null }
  const replaced = replaceReferences(content, HELD, () => ({ replaced: true })) as typeof content
  t.strictSame(replaced, {
    ...content,
    hero: { replaced: true },
    gallery: [{ title: 'a' }, { replaced: true }]
  })
  t.equal(replaced.other, content.other)
  t.equal(replaced.gallery[0], content.gallery[0])
  t.equal(
    replaceReferences(content, HELD, (object) => object),
    content
  )
  t.equal(
    replaceReferences('text', HELD, () => REMOVED),
    'text'
  )
})

t.test('a removed object leaves no gap', async (t) => {
  const content = { hero: BAG, gallery: [BAG, { ...BAG, public_id: 'hat' }] }
  t.strictSame(
    replaceReferences(content, HELD, () => REMOVED),
    { gallery: [{ ...BAG, public_id: 'hat' }] }
  )
})

t.test('updates the fields that an object has, and no other', async (t) => {
  t.strictSame(updateReference(BAG, STATE), { ...BAG, public_id: 'shop/bag' })
  const stored = {
    ...BAG,
    _key: 'k',
    asset_id: 'a1',
    version: 1,
    tags: ['new'],
    display_name: 'bag',
    asset_folder: '',
    folder: '',
    caption: "the editor's",
    url: `http://${HOST}/v1/bag.png`,
    secure_url: `https://${HOST}/v1/bag.png`
  }
  t.strictSame(updateReference(stored, STATE), {
    ...stored,
    public_id: 'shop/bag',
    version: 7,
    tags: ['new', 'sale'],
    display_name: 'A bag',
    asset_folder: 'shop',
    folder: 'shop',
    url: STATE.url,
    secure_url: STATE.secure_url
  })
})

t.test('keeps chosen transformations', async (t) => {
  const stored = {
    ...BAG,
    url: `http://${HOST}/q_auto/v1/bag.png`,
    secure_url: `https://${HOST}/s--abcdefgh--/q_auto/v1/bag.png`,
    original_url: `http://${HOST}/v1/bag.png`,
    original_secure_url: `https://${HOST}/v1/bag.png`,
    derived: [
      { _key: 'd', url: `http://${HOST}/w_1/v1/bag.png`, secure_url: 'https://cdn.example.com/bag.png' },
      { raw_transformation: 'w_2' },
      'text',
      null
    ]
  }
  t.match(updateReference(stored, STATE), {
    url: `http://${HOST}/q_auto/v7/shop/bag.png`,
    // the signature does not fit the new name
    secure_url: STATE.secure_url,
    original_url: STATE.url,
    original_secure_url: STATE.secure_url,
    derived: [
      { _key: 'd', url: `http://${HOST}/w_1/v7/shop/bag.png`, secure_url: 'https://cdn.example.com/bag.png' },
      { raw_transformation: 'w_2' },
      'text',
      null
    ]
  })
})

t.test('a URL of a form that is not understood stays unless the asset was renamed', async (t) => {
  const urls = {
    url: 'https://res.cloudinary.com/demo/images/c_fill,w_9/v1/bag/seo-name.png',
    secure_url: 'https://img.example.com/w_9/bag',
    original_url: `http://${HOST}/s--abcdefgh--/w_9/bag`
  }
  const { asset_id, ...same } = { ...STATE, public_id: 'bag', tags: ['sale'], type: 'upload' }
  t.match(updateReference({ ...BAG, tags: [], ...urls }, { ...same, asset_id }), { tags: ['sale'], ...urls })
  const { url, secure_url } = STATE
  t.match(updateReference({ ...BAG, ...urls }, STATE), { url, secure_url, original_url: url })
  t.match(updateReference({ ...BAG, ...urls }, { ...STATE, public_id: 'bag', type: 'private' }), {
    url,
    secure_url,
    original_url: url
  })
})

t.test('an object that has only the asset id and URLs has the names of its URLs', async (t) => {
  const held = {
    asset_id: 'a1',
    tags: [],
    secure_url: `https://${HOST}/w_9/v7/shop/bag.png`,
    url: 'https://img.example.com/w_9/bag'
  }
  t.strictSame(updateReference(held, STATE), { ...held, tags: ['new', 'sale'] })
  const lost = [
    { ...NAME, until: 5 },
    { ...NAME, publicId: 'shop/bag' }
  ]
  t.strictSame(updateReference({ ...held, secure_url: `https://${HOST}/w_9/v1/bag.png` }, STATE, lost), {
    ...held,
    tags: ['new', 'sale'],
    url: STATE.url
  })
})

t.test('an asset that left its folder gets new URLs in an object without a public id', async (t) => {
  const state = { ...STATE, public_id: 'bag', version: 7 }
  const held = { asset_id: 'a1', secure_url: `https://${HOST}/w_9/v1/shop/bag.png` }
  const lost = [{ ...NAME, publicId: 'shop/bag' }]
  t.strictSame(updateReference(held, state, lost), { ...held, secure_url: `https://${HOST}/w_9/v7/bag.png` })
})

t.test('returns the same object if nothing changes', async (t) => {
  const { asset_id, ...fields } = STATE
  t.equal(updateReference(fields, STATE), fields)
  const reordered = { ...fields, tags: ['sale', 'new'], url: null }
  t.equal(updateReference(reordered, STATE), reordered)
  t.equal(updateReference({ ...fields, tags: 'text' }, { ...STATE, version: undefined }).version, 7)
  const { version, url } = updateReference(
    { ...BAG, version: 1, url: `http://${HOST}/v1/bag.png` },
    { ...STATE, version: 'x' }
  )
  t.strictSame([version, url], ['x', `http://${HOST}/v1/shop/bag.png`])
})
