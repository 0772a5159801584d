import t from 'tap'
import {
  deliveryUrls,
  lastUpdated,
  lastUpdateOf,
  resourceResponse,
  uploadFields,
  uploadResponse
} from '../../../dev/cloudinary/asset-view.ts'
import { Cloud } from '../../../dev/cloudinary/cloud.ts'
import { isoSeconds } from '../../../dev/cloudinary/times.ts'
import { assetWith } from './fixtures.ts'
import { environment, sdk } from './sdk.ts'

const cloud = new Cloud(environment)

t.test('builds delivery URLs from public ID, version and format', async (t) => {
  t.equal(
    deliveryUrls(assetWith({ publicId: 'f/é' }), cloud).secure_url,
    'https://res.cloudinary.com/demo/image/upload/v1700000000/f/%C3%A9.png'
  )
  t.equal(
    deliveryUrls(assetWith({ resourceType: 'raw', publicId: 'a.csv' }), cloud).url,
    'http://res.cloudinary.com/demo/raw/upload/v1700000000/a.csv'
  )
  t.equal(
    deliveryUrls(assetWith(), cloud, { transformation: 'w_1', format: 'jpg' }).url,
    'http://res.cloudinary.com/demo/image/upload/w_1/v1700000000/a.jpg'
  )
  t.notMatch(deliveryUrls(assetWith({ format: undefined }), cloud).url, /\/a\./)
  const here = Object.assign(new Cloud(environment), { deliveryOrigin: 'http://127.0.0.1:4000' })
  const url = 'http://127.0.0.1:4000/demo/image/upload/v1700000000/a.png'
  t.strictSame(deliveryUrls(assetWith(), here), { url, secure_url: url })
})

t.test('omits fields that an asset does not have', async (t) => {
  const bare = uploadFields(assetWith({ width: undefined, format: undefined }), cloud)
  for (const name of ['width', 'height', 'format', 'context', 'metadata', 'duration', 'original_filename']) {
    t.notOk(name in bare, name)
  }
  const full = { context: { alt: 'x' }, metadata: { sku: '1' }, duration: 5, originalFilename: 'cat' }
  t.match(uploadFields(assetWith(full), cloud), {
    width: 10,
    created_at: '2023-11-14T22:13:20Z',
    context: { custom: { alt: 'x' } },
    metadata: { sku: '1' },
    duration: 5,
    original_filename: 'cat'
  })
})

t.test('the SDK accepts the signature of an upload answer', async (t) => {
  const answer = uploadResponse(assetWith(), cloud, { apiKey: environment.apiKey, algorithm: 'sha1' })
  sdk.config({ api_secret: environment.apiSecret })
  t.equal(sdk.utils.verify_api_response_signature('a', answer.version, answer.signature), true)
  t.equal(answer.api_key, environment.apiKey)
})

t.test('the Admin API reports the last change of each part of an asset', async (t) => {
  const asset = assetWith({ lastUpdated: { updatedAt: 1000, tagsUpdatedAt: 1000 } })
  t.same(lastUpdated(asset, isoSeconds), {
    updated_at: '1970-01-01T00:00:01Z',
    tags_updated_at: '1970-01-01T00:00:01Z'
  })
  t.equal(lastUpdateOf(asset, 'tags_updated_at'), 1000)
  for (const name of ['context_updated_at', 'nope', 'toString']) t.equal(lastUpdateOf(asset, name), undefined)
  const answer = resourceResponse(asset, cloud)
  t.match(answer, { public_id: 'a', derived: [], last_updated: { updated_at: '1970-01-01T00:00:01Z' } })
  t.notOk('version_id' in answer)
})
