import t from 'tap'
import { FakeCloudinary, type FakeCloudinaryOptions } from '../../../app/testing/fake-cloudinary.ts'
import { sampleEvent } from '../../support/events.ts'

const upload = sampleEvent('upload', { variant: 'metadata' })
const { assetId = '', publicId = '' } = upload.asset!

/** Returns a fake with the asset of an upload. */
const build = (options?: FakeCloudinaryOptions) => {
  const cloudinary = new FakeCloudinary(options)
  cloudinary.learn(upload)
  return cloudinary
}

const read = (cloudinary: FakeCloudinary, id = publicId) =>
  cloudinary.begin('read')('uploader.explicit', [id])

/** Returns the rejection, which is not an Error. */
const rejection = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (reason: unknown) => reason
  )

t.test('finds the asset of an event by public id and asset id', async (t) => {
  const cloudinary = build()
  const found = await read(cloudinary)
  t.match(found, {
    asset_id: assetId,
    public_id: publicId,
    resource_type: 'image',
    type: 'upload',
    tags: ['bags', 'autumn'],
    metadata: { cms_id: 'cms-1001' },
    bytes: Number
  })
  t.notMatch(found, { notification_type: String })
  t.strictSame(await cloudinary.begin('locate')('api.resource_by_asset_id', [assetId]), found)
  t.strictSame(await cloudinary.begin('admin')('api.resource', [publicId]), found)
  t.match(await rejection(read(cloudinary, 'other')), { http_code: 404 })
})

t.test('adds default fields to an asset', async (t) => {
  const cloudinary = new FakeCloudinary({ asset: { metadata: { cms_id: '7' } } })
  cloudinary.learn(sampleEvent('eager'))
  cloudinary.learn({ ...upload, asset: { publicId: 'old' } })
  cloudinary.learn(sampleEvent('create_folder'))
  t.match(await read(cloudinary), {
    resource_type: 'image',
    type: 'upload',
    tags: [],
    metadata: { cms_id: '7' }
  })
  t.match(await read(cloudinary, 'old'), { asset_id: '', public_id: 'old' })
})

t.test('renames and updates an asset', async (t) => {
  const cloudinary = build()
  cloudinary.learn(sampleEvent('rename', { assetId }))
  t.match(await read(cloudinary, `${publicId}-renamed`), { asset_id: assetId, tags: ['bags', 'autumn'] })
  t.match(await rejection(read(cloudinary)), { http_code: 404 })
  cloudinary.learn({ ...upload, payload: { new_metadata: { cms_id: '2' } } })
  t.match(await read(cloudinary), { metadata: { cms_id: '2', colours: ['brown', 'black'] } })
})

t.test('stores tags and metadata, and returns copies', async (t) => {
  const cloudinary = build()
  const before = await read(cloudinary)
  const change = cloudinary.begin('change')
  t.strictSame(await change('uploader.add_tag', ['a,bags', [publicId], {}]), { public_ids: [publicId] })
  t.strictSame(await change('uploader.update_metadata', [{ size: 'L' }, [publicId], {}]), {
    public_ids: [publicId]
  })
  t.strictSame(await change('uploader.update_metadata', ['a=b', ['unknown'], {}]), {
    public_ids: ['unknown']
  })
  t.strictSame(await change('uploader.destroy', [publicId, {}]), { result: 'ok' })
  t.match(await read(cloudinary), {
    tags: ['bags', 'autumn', 'a'],
    metadata: { cms_id: 'cms-1001', size: 'L' }
  })
  t.match(before, { tags: ['bags', 'autumn'] })
})

t.test('distinguishes assets by kind, and prefers the latest upload', async (t) => {
  const cloudinary = build()
  const video = sampleEvent('upload', { variant: 'video' })
  const again = sampleEvent('upload', { assetId: '1'.repeat(32) })
  cloudinary.learn(video)
  cloudinary.learn(again)
  const find = (resource_type: string) =>
    cloudinary.begin('read')('uploader.explicit', [publicId, { resource_type, type: 'upload' }])
  t.match(await find('video'), { asset_id: video.asset?.assetId })
  t.match(await find('image'), { asset_id: again.asset?.assetId })
  t.match(await read(cloudinary, assetId), { asset_id: assetId })
  t.match(await rejection(find('raw')), { http_code: 404 })
})

t.test('forgets a deleted asset', async (t) => {
  for (const type of ['delete', 'delete_by_token'] as const) {
    const cloudinary = build()
    cloudinary.learn(sampleEvent(type, { assetId, publicId }))
    t.match(await rejection(read(cloudinary)), { http_code: 404 })
  }
})

t.test('answers with a given value or function', async (t) => {
  const cloudinary = build()
    .answer('read', { public_id: 'mine' })
    .answer('admin', (id: string) => `${id}?`)
    .answer('nothing', undefined)
  t.strictSame(await read(cloudinary), { public_id: 'mine' })
  t.equal(await cloudinary.begin('admin')('api.resource', ['bag']), 'bag?')
  t.equal(await cloudinary.begin('nothing')('api.resource', ['bag']), undefined)
})

t.test('fails calls by number and name', async (t) => {
  const cloudinary = build().fail(503, { times: 2, name: 'read' }).fail('unreachable', { name: 'write' })
  const write = () => cloudinary.begin('write')('uploader.add_tag', ['a', [publicId], {}])
  t.match(await rejection(read(cloudinary)), { http_code: 503 })
  t.match(await rejection(write()), { code: 'ECONNREFUSED' })
  await write()
  t.match(await rejection(read(cloudinary)), { http_code: 503 })
  t.ok(await read(cloudinary))
  cloudinary.fail(404)
  t.match(await rejection(write()), { http_code: 404 })
  t.strictSame(
    cloudinary.calls.map(({ name }) => name),
    ['read', 'write', 'write', 'read', 'read', 'write']
  )
})
