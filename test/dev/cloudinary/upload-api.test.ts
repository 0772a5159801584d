import { mkdtemp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { CloudinaryOptions } from '../../../dev/cloudinary/cloudinary-server.ts'
import { TINY_PNG } from '../../../dev/cloudinary/media.ts'
import { connect, listen, notification, refusal, sdk, signedPost } from './sdk.ts'

const PIXEL = `data:image/png;base64,${TINY_PNG.toString('base64')}`

async function start(t: Test, options: Partial<CloudinaryOptions> = {}) {
  const connected = await connect(t, { notificationUrl: await listen(t), ...options })
  const { metadataFields } = connected.standIn.cloud()
  metadataFields.create({ external_id: 'sku', label: 'SKU', type: 'string' })
  metadataFields.create({
    external_id: 'colours',
    label: 'Colours',
    type: 'set',
    datasource: { values: ['r', 'g'].map((external_id) => ({ external_id, value: external_id })) }
  })
  const typesOf = () => connected.standIn.deliveries.map(({ notificationType }) => notificationType)
  return { ...connected, typesOf }
}

t.test('stores an upload, answers and notifies', async (t) => {
  const { standIn, own } = await start(t)
  const answer = await sdk.uploader.upload(PIXEL, {
    ...own,
    public_id: 'shop/a&b',
    tags: ['x', 'y'],
    context: { alt: 'a=b|c' },
    metadata: { sku: 'A=1|2', colours: ['r', 'g'] },
    display_name: 'A',
    asset_folder: 'shop'
  })
  t.match(answer, {
    asset_id: /^[0-9a-f]{32}$/,
    public_id: 'shop/a&b',
    width: 1,
    format: 'png',
    bytes: TINY_PNG.length,
    tags: ['x', 'y'],
    context: { custom: { alt: 'a=b|c' } },
    metadata: { sku: 'A=1|2', colours: ['r', 'g'] },
    asset_folder: 'shop',
    api_key: own.api_key
  })
  t.match(await notification(standIn, 'upload'), {
    asset_id: answer.asset_id,
    notification_context: { triggered_by: { source: 'api', id: own.api_key } },
    signature_key: own.api_key
  })
})

t.test('accepts a file from disk, a stream, and a URL without fetching it', async (t) => {
  const { standIn, own } = await start(t)
  const path = join(await mkdtemp(join(t.testdir(), 'x-')), 'red dot.png')
  await writeFile(path, TINY_PNG)
  t.match(await sdk.uploader.upload(path, { ...own, folder: 'f' }), {
    public_id: /^f\/[0-9a-f]{20}$/,
    asset_folder: 'f',
    original_filename: 'red dot',
    bytes: TINY_PNG.length
  })
  const streamed = new Promise((resolve, reject) => {
    const options = { ...own, resource_type: 'raw' as const, public_id: 'a.csv' }
    sdk.uploader
      .upload_stream(options, (error: unknown, result: unknown) => (error ? reject(error) : resolve(result)))
      .end('1,2')
  })
  t.match(await streamed, { public_id: 'a.csv', resource_type: 'raw', bytes: 3 })
  t.equal(standIn.assets.find('a.csv', { resourceType: 'raw' })?.content?.toString(), '1,2')
  const download = sdk.utils.private_download_url('a.csv', '', { ...own, resource_type: 'raw' })
  t.equal(await (await fetch(String(download))).text(), '1,2')
  const remote = 'https://example.com/films/cat.mp4?x=1'
  t.match(await sdk.uploader.upload(remote, { ...own, folder: 'f', public_id: 'c', resource_type: 'auto' }), {
    public_id: 'f/c',
    resource_type: 'video',
    format: 'mp4'
  })
  t.match(await sdk.uploader.upload('data:;base64,AAAA', own), { format: 'bin', bytes: 3 })
})

t.test('does not overwrite if so requested', async (t) => {
  const { own } = await start(t)
  const first = await sdk.uploader.upload(PIXEL, { ...own, public_id: 'a' })
  const kept = await sdk.uploader.upload(PIXEL, { ...own, public_id: 'a', overwrite: false })
  t.match(kept, { existing: true, version: first.version })
  t.match(await sdk.uploader.upload(PIXEL, { ...own, public_id: 'a' }), {
    overwritten: true,
    version: first.version + 1
  })
})

t.test('sends the notification to the URL of the call', async (t) => {
  const { standIn, own } = await start(t)
  const notification_url = await listen(t)
  const [additive] = standIn.cloud().triggers.list()
  await sdk.uploader.upload(PIXEL, { ...own, notification_url })
  await standIn.idle()
  const places = () => new Set(standIn.deliveries.map(({ url }) => url))
  t.same(places(), new Set([notification_url, additive?.uri]))
  standIn.cloud().triggers.update(additive!.id, { additive: false }, 0)
  const before = standIn.deliveries.length
  await sdk.uploader.upload(PIXEL, { ...own, notification_url })
  await standIn.idle()
  t.same(
    standIn.deliveries.slice(before).map(({ url }) => url),
    [notification_url]
  )
})

t.test('requires a valid signature', async (t) => {
  let now = Date.now()
  const { standIn, own } = await start(t, { clock: () => now })
  t.match(await refusal(sdk.uploader.upload(PIXEL, { ...own, api_secret: 'wrong' })), {
    message: /^Invalid Signature \w+\. String to sign - 'timestamp=\d+'\.$/,
    http_code: 401
  })
  t.match(await refusal(sdk.uploader.upload(PIXEL, { ...own, api_key: '5' })), {
    message: 'Unknown API key 5',
    http_code: 401
  })
  now += 3_700_000
  t.match(await refusal(sdk.uploader.upload(PIXEL, own)), { message: /^Stale request/, http_code: 400 })
  t.same(standIn.assets.all(), [])
  t.match(await refusal(sdk.uploader.unsigned_upload(PIXEL, 'preset', own)), { http_code: 400 })
})

t.test('verifies SHA-256 if configured', async (t) => {
  const { own } = await start(t, { signatureAlgorithm: 'sha256' })
  t.match(await refusal(sdk.uploader.upload(PIXEL, own)), { http_code: 401 })
  const options = { ...own, signature_algorithm: 'sha256' as const }
  t.match(await sdk.uploader.upload(PIXEL, options), { signature: /^[0-9a-f]{64}$/ })
})

t.test('changes the tags of many assets in one call, with one notification', async (t) => {
  const { standIn, own } = await start(t)
  const ids = Array.from({ length: 1000 }, (_, index) => `id-${index}`)
  standIn.setNotificationUrl(undefined)
  for (const publicId of ids) standIn.ui().upload({ publicId })
  standIn.setNotificationUrl(await listen(t))
  t.match(await sdk.uploader.add_tag('Hello World!', [...ids, 'nope'].slice(1), own), {
    public_ids: { length: 999 }
  })
  const body = await notification(standIn, 'resource_tags_changed')
  t.equal((body.resources as unknown[]).length, 999)
  t.match(body.resources, [{ public_id: 'id-1', added: ['Hello World!'], removed: [] }])
})

t.test('performs each tag command', async (t) => {
  const { standIn, own, typesOf } = await start(t)
  for (const publicId of ['a', 'b']) standIn.ui().upload({ publicId, tags: ['x'] })
  await standIn.idle()
  const tags = (publicId: string) => standIn.assets.find(publicId)?.tags
  await sdk.uploader.add_tag('y,z', ['a'], own)
  t.same(tags('a'), ['x', 'y', 'z'])
  await sdk.uploader.remove_tag('x', ['a'], own)
  t.same(tags('a'), ['y', 'z'])
  await sdk.uploader.replace_tag('w', ['a'], own)
  t.same(tags('a'), ['w'])
  await signedPost(own, 'image/tags', { command: 'set_exclusive', tag: 'x', public_ids: 'a' })
  t.same([tags('a'), tags('b')], [['w', 'x'], []])
  await sdk.uploader.remove_all_tags(['a'], own)
  t.same(tags('a'), [])
  await sdk.uploader.remove_all_tags(['a'], own)
  await standIn.idle()
  t.equal(typesOf().filter((type) => type === 'resource_tags_changed').length, 5)
  t.match(await refusal(sdk.uploader.replace_tag('', ['a'], own)), {
    message: 'Missing required parameter - tag'
  })
  t.match(await refusal(sdk.uploader.add_tag('x', [], own)), {
    message: 'Missing required parameter - public_ids'
  })
  t.same(await signedPost(own, 'image/tags', { command: 'nope', public_ids: 'a' }), {
    error: { message: 'Invalid command: nope' }
  })
})

t.test('sets metadata if the fields accept it', async (t) => {
  const { standIn, own } = await start(t)
  standIn.ui().upload({ publicId: 'a', resourceType: 'video', metadata: { sku: '1' } })
  const update = (metadata: object, id = 'a') =>
    sdk.uploader.update_metadata(metadata, [id], { ...own, resource_type: 'video' })
  t.same(await update({ sku: 'x=1|2', colours: ['g'] }), { public_ids: ['a'] })
  t.match(await notification(standIn, 'resource_metadata_changed'), {
    resources: { a: { previous_metadata: { sku: '1' }, new_metadata: { sku: 'x=1|2', colours: ['g'] } } }
  })
  t.same(await update({ sku: '1' }, 'nope'), { public_ids: [] })
  t.match(await refusal(update({ nope: '1' })), { message: /nope doesn't exist/, http_code: 400 })
  t.match(await refusal(update({ colours: ['blue'] })), { http_code: 400 })
  t.match(await refusal(update({})), { message: 'Missing required parameter - metadata', http_code: 400 })
})

t.test('adds and removes context', async (t) => {
  const { standIn, own } = await start(t)
  standIn.ui().upload({ publicId: 'a', context: { old: '1' } })
  const context = () => standIn.assets.find('a')?.context
  await sdk.uploader.add_context({ alt: 'x' }, ['a'], own)
  t.same(context(), { old: '1', alt: 'x' })
  await sdk.uploader.remove_all_context(['a'], own)
  t.same(context(), {})
  await sdk.uploader.add_context(undefined, ['a'], own)
  t.same(context(), {})
  t.same(await signedPost(own, 'image/context', { command: 'nope', public_ids: 'a' }), {
    error: { message: 'Invalid command: nope' }
  })
})

t.test('explicit replaces tags and context, and sets metadata', async (t) => {
  const { standIn, own, typesOf } = await start(t)
  standIn.ui().upload({ publicId: 'a', tags: ['x'], context: { old: '1' }, metadata: { sku: '1' } })
  const options = { ...own, type: 'upload' as const }
  const changed = await sdk.uploader.explicit('a', {
    ...options,
    tags: ['y'],
    context: { alt: 'z' },
    metadata: { colours: ['r'] }
  })
  t.match(changed, { tags: ['y'], context: { custom: { alt: 'z' } }, metadata: { sku: '1', colours: ['r'] } })
  t.notOk('old' in standIn.assets.find('a')!.context)
  await standIn.idle()
  t.same(typesOf().sort(), [
    'resource_context_changed',
    'resource_metadata_changed',
    'resource_tags_changed',
    'upload'
  ])
  t.match(await sdk.uploader.explicit('a', options), { tags: ['y'] })
  t.match(await refusal(sdk.uploader.explicit('nope', options)), {
    message: 'Resource not found - nope',
    http_code: 404
  })
  t.match(await refusal(sdk.uploader.explicit('a', { ...options, tags: ['w'], metadata: { nope: '1' } })), {
    http_code: 400
  })
  t.same(standIn.assets.find('a')?.tags, ['y'], 'a refused call changes nothing')
})

t.test('answers eager transformations at once, or notifies of them later', async (t) => {
  const { standIn, own } = await start(t, { videoSyncLimitBytes: 1000 })
  standIn.ui().upload({ publicId: 'film', resourceType: 'video', media: { bytes: 900 } })
  standIn.ui().upload({ publicId: 'long', resourceType: 'video', media: { bytes: 1100 } })
  const options = {
    ...own,
    type: 'upload' as const,
    resource_type: 'video' as const,
    eager: [
      { streaming_profile: 'full_hd', format: 'm3u8' },
      { crop: 'limit', width: 320, quality: 'auto', format: 'mp4' }
    ]
  }
  t.match(await sdk.uploader.explicit('film', options), {
    eager: [
      { transformation: 'sp_full_hd/m3u8', secure_url: /\.m3u8$/ },
      { transformation: 'c_limit,q_auto,w_320/mp4', width: 320 }
    ]
  })
  t.match(await refusal(sdk.uploader.explicit('long', options)), {
    message: /too large to process synchronously/
  })
  const eager_notification_url = await listen(t)
  const later = { ...options, eager_async: true, eager_notification_url }
  standIn.failEager((_asset, transformation) =>
    transformation.startsWith('sp_') ? 'no such profile' : undefined
  )
  const answer = await sdk.uploader.explicit('long', later)
  t.match(answer, { eager: [{ status: 'processing' }, { status: 'processing' }] })
  const body = await notification(standIn, 'eager')
  t.match(body, {
    eager: [{ status: 'failed', reason: 'no such profile' }, { transformation: 'c_limit,q_auto,w_320/mp4' }],
    batch_id: answer.eager[0].batch_id,
    public_id: 'long'
  })
  t.notOk('resource_type' in body || 'type' in body || 'duration' in body)
  await standIn.idle()
  const eager = standIn.deliveries.filter(({ notificationType }) => notificationType === 'eager')
  t.ok(eager.some(({ url }) => url === eager_notification_url))
  t.match(await sdk.uploader.upload(PIXEL, { ...own, eager: 'w_1' }), { eager: [{ width: 1 }] })
})

t.test('renames and deletes an asset', async (t) => {
  const { standIn, own } = await start(t)
  for (const publicId of ['a', 'b']) standIn.ui().upload({ publicId })
  t.match(await sdk.uploader.rename('a', 'f/c', own), { public_id: 'f/c' })
  t.match(await notification(standIn, 'rename'), { from_public_id: 'a', to_public_id: 'f/c' })
  t.match(await refusal(sdk.uploader.rename('f/c', 'b', own)), { http_code: 400 })
  t.match(await sdk.uploader.rename('f/c', 'b', { ...own, overwrite: true, to_type: 'private' }), {
    type: 'private'
  })
  t.match(await sdk.uploader.destroy('b', { ...own, type: 'private' }), { result: 'ok' })
  const deleted = await notification(standIn, 'delete')
  t.match(deleted.resources, [{ public_id: 'b', type: 'private', version: Number }])
  t.match(await sdk.uploader.destroy('b', { ...own, type: 'private' }), { result: 'not found' })
})
