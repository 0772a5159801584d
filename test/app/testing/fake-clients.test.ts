import { once } from 'node:events'
import t from 'tap'
import { uploadRawFile } from '../../../app/cloudinary/raw-files.ts'
import { parseCloudinaryUrl } from '../../../app/credentials/cloudinary-url.ts'
import { fakeClients } from '../../../app/testing/fake-clients.ts'
import { FakeCloudinary } from '../../../app/testing/fake-cloudinary.ts'

const environment = parseCloudinaryUrl(
  'cloudinary://1:the-secret@demo?upload_prefix=http://cloudinary.invalid'
)

function build() {
  const cloudinary = new FakeCloudinary()
  const clients = fakeClients(cloudinary, {
    environments: { get: () => environment, cloudNames: () => ['demo'] },
    clock: () => 0,
    random: () => 0
  })
  return { cloudinary, clients, client: clients.for('demo', new AbortController().signal) }
}

t.test('a call is recorded with what the SDK is given, without credentials', async (t) => {
  const { cloudinary, client } = build()
  await client.call('add context', (sdk, options) =>
    sdk.uploader.add_context('a=b', ['bag'], { ...options, resource_type: 'video' })
  )
  await client.call('ping', (sdk, options) => sdk.api.ping(options))
  t.strictSame(cloudinary.calls, [
    {
      name: 'add context',
      method: 'uploader.add_context',
      args: ['a=b', ['bag'], { resource_type: 'video' }]
    },
    { name: 'ping', method: 'api.ping', args: [{}] }
  ])
  t.notMatch(JSON.stringify(cloudinary.calls), /the-secret/)
})

t.test('each function of the SDK that a call uses is recorded, and a call that uses none', async (t) => {
  const { cloudinary, client } = build()
  await client.call('twice', async (sdk, options) => {
    await sdk.uploader.add_tag('a', ['bag'], { ...options, type: 'upload' })
    await sdk.api.ping(options)
  })
  t.equal(await client.call('own', async () => 'answer'), 'answer')
  t.match(cloudinary.calls, [
    { name: 'twice', method: 'uploader.add_tag', args: ['a', ['bag'], { type: 'upload' }] },
    { name: 'twice', method: 'api.ping', args: [{}] },
    { name: 'own', args: [] }
  ])
})

t.test('what calls nothing is left to the SDK, and what it does not have is not there', async (t) => {
  const { client } = build()
  const url = await client.call('url', async (sdk, options) =>
    sdk.url('bag', { cloud_name: options.cloud_name })
  )
  t.match(await client.call('url', async ({ uploader }, options) => uploader.upload_url(options)), /demo/)
  t.match(url, /\/demo\/image\/upload\/bag/)
  const found = await client.call('look', async ({ uploader }) => [
    typeof uploader.add_tag,
    typeof (uploader as object as { tag?: unknown }).tag
  ])
  t.strictSame(found, ['function', 'undefined'])
})

t.test('a failure is mapped as a real one, and opens the circuit breaker', async (t) => {
  const { cloudinary, clients, client } = build()
  cloudinary.fail(420).fail('unreachable').fail(404)
  const asset = { publicId: 'bag', resourceType: 'image', deliveryType: 'upload' }
  await t.rejects(client.addTag(asset, 'a'), {
    code: 'CLOUDINARY_RATE_LIMITED',
    failure: { until: new Date(60_000) }
  })
  await t.rejects(client.addTag(asset, 'a'), { code: 'CLOUDINARY_DOWN' })
  t.equal(cloudinary.calls.length, 1)
  clients.breaker('demo').succeeded()
  await t.rejects(client.addTag(asset, 'a'), { code: 'CLOUDINARY_UNREACHABLE' })
  await t.rejects(client.addTag(asset, 'a'), { code: 'CLOUDINARY_NOT_FOUND', failure: { kind: 'permanent' } })
  await client.addTag(asset, 'a')
})

t.test('an upload stream takes its content, and is answered as other calls', async (t) => {
  const { cloudinary, client } = build()
  const file = { publicId: 'report.csv', deliveryType: 'upload' }
  const content = async function* () {
    yield 'row'
  }
  await uploadRawFile(client, file, content())
  t.match(cloudinary.calls, [
    {
      name: 'upload',
      method: 'uploader.upload_stream',
      args: [{ public_id: 'report.csv', resource_type: 'raw' }]
    }
  ])
  cloudinary.fail(503)
  await t.rejects(uploadRawFile(client, file, content()), { code: 'CLOUDINARY_UNAVAILABLE' })
  const unheard = await client.call('upload', async ({ uploader }) => uploader.upload_stream())
  unheard.end('content')
  await once(unheard, 'finish')
  t.equal(cloudinary.calls.length, 3)
})
