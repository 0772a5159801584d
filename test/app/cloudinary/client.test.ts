import t from 'tap'
import { CloudinaryClients } from '../../../app/cloudinary/clients.ts'
import { ListenerError } from '../../../app/errors.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'
import { memoryTracing } from '../../support/tracing.ts'

const BAG = { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }
const never = new AbortController().signal
const cloudNames = () => ['demo']

t.test('adds a tag and keeps the others', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t)
  await clients.for('demo', never).addTag(BAG, 'Hello World!')
  t.strictSame(cloudinary.assets.find('bag')?.tags, ['leather', 'Hello World!'])
})

t.test('writes metadata with any characters and reads it back', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t)
  const client = clients.for('demo', never)
  await client.call('create field', (sdk, options) =>
    sdk.api.add_metadata_field({ external_id: 'note', label: 'Note', type: 'string' }, options)
  )
  await client.updateMetadata(BAG, { note: 'a=b|c="ü"' })
  t.equal((await client.currentState(BAG)).metadata?.note, 'a=b|c="ü"')
  t.match(await client.currentState(BAG), { public_id: 'bag', tags: ['leather'] })
  t.equal(cloudinary.calls.filter(({ action }) => action === 'explicit').length, 2)
})

t.test('calls the right cloud with its key', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t)
  const client = clients.for('demo', never)
  t.equal(client.cloudName, 'demo')
  await client.addTag(BAG, 'x')
  t.match(cloudinary.calls, [{ cloud: 'demo', apiKey: LOCAL_CLOUDINARY.apiKey, status: 200 }])
})

t.test('builds a delivery URL without a call', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t)
  const options = { transformation: 'w_150', format: 'jpg' }
  const client = clients.for('demo', never)
  t.equal(client.deliveryUrl(BAG, options), 'https://res.cloudinary.com/demo/image/upload/w_150/bag.jpg')
  t.match(client.deliveryUrl({ ...BAG, deliveryType: 'private' }, options), '/private/s--')
  t.strictSame(cloudinary.calls, [])
})

t.test('a missing asset is a permanent failure', async (t) => {
  const { clients } = await buildCloudinary(t)
  await t.rejects(clients.for('demo', never).addTag({ ...BAG, publicId: 'gone' }, 'x'), {
    code: 'CLOUDINARY_NOT_FOUND',
    failure: { kind: 'permanent' }
  })
  await t.rejects(clients.for('demo', never).currentState({ ...BAG, publicId: 'gone' }), {
    code: 'CLOUDINARY_NOT_FOUND',
    status: 404,
    failure: { kind: 'permanent' }
  })
})

t.test('locates a renamed asset by its id, unless it is deleted', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t)
  const client = clients.for('demo', never)
  const { assetId, version } = cloudinary.assets.find('bag')!
  cloudinary.ui().rename('bag', 'shop/bag')
  t.strictSame(await client.locate(assetId), {
    assetId,
    publicId: 'shop/bag',
    resourceType: 'image',
    deliveryType: 'upload',
    version
  })
  cloudinary.ui().destroy('shop/bag')
  t.equal(await client.locate(assetId), undefined)
  cloudinary.faults.add({ kind: 'status', status: 500 })
  await t.rejects(client.locate(assetId), { code: 'CLOUDINARY_UNAVAILABLE' })
})

t.test('an unknown metadata field is a permanent failure', async (t) => {
  const { clients } = await buildCloudinary(t)
  await t.rejects(clients.for('demo', never).updateMetadata(BAG, { nonsense: '1' }), {
    code: 'CLOUDINARY_REJECTED',
    failure: { kind: 'permanent' }
  })
})

t.test('makes no call for an asset without kind and asset id', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t)
  const client = clients.for('demo', never)
  const unknown = { code: 'ASSET_KIND_UNKNOWN', failure: { kind: 'permanent' } }
  for (const asset of [
    { publicId: 'bag' },
    { publicId: 'bag', resourceType: 'image' },
    { publicId: 'bag', deliveryType: 'upload' },
    { resourceType: 'image', deliveryType: 'upload' },
    {}
  ]) {
    await t.rejects(client.addTag(asset, 'x'), unknown)
    await t.rejects(client.updateMetadata(asset, { note: 'x' }), unknown)
    await t.rejects(client.currentState(asset), unknown)
    await t.rejects(client.identify(asset), unknown)
  }
  t.strictSame(cloudinary.calls, [])
})

t.test('looks up a missing kind by asset id, once per event', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t)
  const kind = { resourceType: 'video', type: 'private' }
  const { asset } = cloudinary.as().upload({ publicId: 'bag', ...kind })
  const actions = () => cloudinary.calls.map(({ action }) => action)
  const notified = { assetId: asset.assetId, publicId: 'bag' }
  await clients.for('demo', never).addTag(notified, 'x')
  await clients.for('demo', never).addTag(notified, 'y')
  t.strictSame(asset.tags, ['x', 'y'])
  t.strictSame(cloudinary.assets.find('bag')?.tags, ['leather'], 'and not the image of its name')
  t.strictSame(actions(), ['resource_by_asset_id', 'tags', 'tags'])

  cloudinary.ui().rename('bag', 'sack', kind)
  t.match(await clients.for('demo', never).currentState({ assetId: asset.assetId }), { public_id: 'sack' })
  const stated = { ...notified, resourceType: 'image', deliveryType: 'upload' }
  t.equal(await clients.for('demo', never).identify(stated), stated)
  t.equal(actions().filter((action) => action === 'resource_by_asset_id').length, 2)
})

t.test('throws CLOUDINARY_NOT_FOUND if the look-up finds a deleted asset', async (t) => {
  const { clients } = await buildCloudinary(t)
  await t.rejects(clients.for('demo', never).addTag({ assetId: 'gone', publicId: 'bag' }, 'x'), {
    code: 'CLOUDINARY_NOT_FOUND',
    status: 404,
    failure: { kind: 'permanent' }
  })
})

t.test('a rate-limited look-up changes nothing', async (t) => {
  const { clients, cloudinary } = await buildCloudinary(t)
  const until = new Date('2026-11-23T15:00:00Z')
  cloudinary.faults.add({ kind: 'rate_limit', status: 420, until, action: 'resource_by_asset_id', count: 1 })
  const notified = { assetId: cloudinary.assets.find('bag')!.assetId }
  const client = clients.for('demo', never)
  await t.rejects(client.addTag(notified, 'x'), {
    code: 'CLOUDINARY_RATE_LIMITED',
    failure: { kind: 'rate-limited', until }
  })
  await client.addTag(notified, 'x')
  t.strictSame(cloudinary.assets.find('bag')?.tags, ['leather', 'x'])
})

t.test('signs calls with the algorithm of the environment', async (t) => {
  const { cloudinary } = await buildCloudinary(t)
  const environment = {
    ...LOCAL_CLOUDINARY,
    uploadPrefix: cloudinary.url,
    signatureAlgorithm: 'sha256' as const
  }
  const clients = new CloudinaryClients({
    environments: { get: () => environment, cloudNames }
  })
  t.teardown(() => clients.close())
  await clients.for('demo', never).call('look', async (_sdk, options) => {
    t.equal(options.signature_algorithm, 'sha256')
  })
})

t.test('reports a wrong secret without showing it', async (t) => {
  const { cloudinary } = await buildCloudinary(t)
  const apiSecret = 'not-the-right-secret'
  const clients = new CloudinaryClients({
    environments: {
      get: (cloudName) => ({ ...LOCAL_CLOUDINARY, cloudName, apiSecret, uploadPrefix: cloudinary.url }),
      cloudNames
    }
  })
  t.teardown(() => clients.close())
  const client = clients.for('demo', never)
  for (const call of [
    () => client.addTag(BAG, 'x'),
    () => client.call('get asset', (sdk, options) => sdk.api.resource('bag', options))
  ]) {
    const error = await call().then(
      () => t.fail('must not succeed'),
      (rejection) => rejection
    )
    t.match(error, { code: 'CLOUDINARY_UNAUTHORIZED', failure: { kind: 'retryable' } })
    t.notMatch(JSON.stringify([error, error.message, error.stack]), apiSecret)
  }
})

t.test('an outage is retryable, with its status', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t)
  const client = clients.for('demo', never)
  for (const status of [500, 502, 503]) {
    cloudinary.faults.add({ kind: 'status', status, count: 1 })
    await t.rejects(client.addTag(BAG, 'x'), {
      code: 'CLOUDINARY_UNAVAILABLE',
      status,
      failure: { kind: 'retryable' }
    })
  }
  await client.addTag(BAG, 'x')
})

t.test('a rate limit has its end', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t)
  const until = new Date('2026-11-23T15:00:00Z')
  cloudinary.faults.add({ kind: 'rate_limit', status: 420, until, count: 1 })
  await t.rejects(clients.for('demo', never).addTag(BAG, 'x'), {
    code: 'CLOUDINARY_RATE_LIMITED',
    failure: { kind: 'rate-limited', until }
  })
})

t.test('a reset connection is retryable', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t)
  cloudinary.faults.add({ kind: 'reset', count: 2 })
  const client = clients.for('demo', never)
  for (const call of [
    () => client.addTag(BAG, 'x'),
    () => client.call('get asset', (sdk, options) => sdk.api.resource('bag', options))
  ]) {
    await t.rejects(call(), { code: 'CLOUDINARY_UNREACHABLE', failure: { kind: 'retryable' } })
  }
})

t.test('times out on a silent server, in both APIs', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t, { timeoutMs: 50 })
  cloudinary.faults.add({ kind: 'hang' })
  const client = clients.for('demo', never)
  await t.rejects(client.addTag(BAG, 'x'), { code: 'CLOUDINARY_UNREACHABLE', message: /within 50 ms/ })
  await t.rejects(
    client.call('get asset', (sdk, options) => sdk.api.resource('bag', options)),
    { code: 'CLOUDINARY_UNREACHABLE' }
  )
  await t.rejects(
    client.call('search', (sdk, options) => Object(sdk.search.expression('tags:x')).execute(options), 20),
    { code: 'CLOUDINARY_UNREACHABLE', message: /within 20 ms/ }
  )
})

t.test('the signal aborts a hanging call and a new one', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t)
  cloudinary.faults.add({ kind: 'hang' })
  const stop = new AbortController()
  const client = clients.for('demo', stop.signal)
  const hanging = client.addTag(BAG, 'x')
  setImmediate(() => stop.abort())
  await t.rejects(hanging, { code: 'CLOUDINARY_ABORTED', failure: { kind: 'retryable' } })
  await t.rejects(client.addTag(BAG, 'x'), { code: 'CLOUDINARY_ABORTED' })
})

t.test('rethrows a ListenerError, which is not a failure of Cloudinary', async (t) => {
  const { clients } = await buildCloudinary(t)
  const own = new ListenerError('CONTENT_BROKEN', 'the content cannot be read')
  const call = clients.for('demo', never).call('upload', async () => {
    throw own
  })
  await t.rejects(call, own)
  t.ok(clients.breaker('demo').isClosed)
})

t.test('passes the time-out signal to a call without the SDK', async (t) => {
  const { clients } = await buildCloudinary(t)
  const call = clients
    .for('demo', never)
    .call(
      'download',
      (_sdk, _options, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      20
    )
  await t.rejects(call, { code: 'CLOUDINARY_UNREACHABLE', message: /^download: .*20 ms/ })
})

t.test('makes no call after consecutive failures', async (t) => {
  const { cloudinary, clients } = await buildCloudinary(t)
  const client = clients.for('demo', never)
  cloudinary.faults.add({ kind: 'status', status: 503, count: 5 })
  for (let i = 0; i < 5; i++) await t.rejects(client.addTag(BAG, 'x'), { code: 'CLOUDINARY_UNAVAILABLE' })
  const calls = cloudinary.calls.length
  await t.rejects(client.addTag(BAG, 'x'), { code: 'CLOUDINARY_DOWN', failure: { kind: 'retryable' } })
  t.equal(cloudinary.calls.length, calls)
})

t.test('traces its calls, but not those that the circuit breaker skips', async (t) => {
  const { tracing, spans } = memoryTracing()
  const { clients, cloudinary } = await buildCloudinary(t, { tracing })
  const client = clients.for('demo', never)
  await client.addTag(BAG, 'x')
  t.strictSame(spans, [`cloudinary add tag of demo at ${cloudinary.url}`])
  cloudinary.faults.add({ kind: 'rate_limit', status: 420, until: new Date(Date.now() + 60_000) })
  await t.rejects(client.addTag(BAG, 'y'), { code: 'CLOUDINARY_RATE_LIMITED' })
  await t.rejects(client.addTag(BAG, 'z'), { code: 'CLOUDINARY_DOWN' })
  t.equal(spans.length, 2)
})
