import t from 'tap'
import { Cloud } from '../../../dev/cloudinary/cloud.ts'
import { deriveLater, deriveNow } from '../../../dev/cloudinary/eager-transformations.ts'
import { assetWith } from './fixtures.ts'
import { environment } from './sdk.ts'

const cloud = new Cloud(environment)
const rules = { failure: () => undefined, videoSyncLimitBytes: 1000 }
const video = () => assetWith({ resourceType: 'video', format: 'mp4', width: 640, height: 360 })

t.test('derived assets have the requested size and format; HLS has no size', async (t) => {
  const asset = video()
  const derived = deriveNow(asset, cloud, 'sp_full_hd/m3u8|c_limit,w_320/jpg|e_blur/c_scale,w_10', rules)
  t.match(derived, [
    { transformation: 'sp_full_hd/m3u8', format: 'm3u8', url: /\/sp_full_hd\/v1700000000\/a\.m3u8$/ },
    { transformation: 'c_limit,w_320/jpg', format: 'jpg', width: 320, height: 180 },
    { transformation: 'e_blur/c_scale,w_10', format: 'mp4', width: 10, height: 6 }
  ])
  t.notOk('width' in derived[0]!)
  t.equal(asset.derived.length, 3)
  deriveNow(asset, cloud, 'e_blur/c_scale,w_10', rules)
  t.equal(asset.derived.length, 3, 'the same transformation is stored once')
  const raw = assetWith({ format: undefined, width: undefined, height: undefined })
  t.match(deriveNow(raw, cloud, 'e_blur', rules), [{ format: 'jpg', width: 640, height: 480 }])
})

t.test('a result names its transformation URL-decoded, with sorted parameters', async (t) => {
  const asset = video()
  const text = 'w_640,l_text:Arial_40:Hello%252C%20World,c_limit/q_auto,e_blur/mp4'
  t.match(deriveNow(asset, cloud, text, rules), [
    { transformation: 'c_limit,l_text:Arial_40:Hello%2C World,w_640/e_blur,q_auto/mp4' }
  ])
  deriveNow(asset, cloud, 'c_limit,l_text:Arial_40:Hello%252C%20World,w_640/e_blur,q_auto/mp4', rules)
  t.equal(asset.derived.length, 1, 'the order of parameters does not matter')
  t.match(deriveNow(asset, cloud, 'l_text:A:50% off', rules), [{ transformation: 'l_text:A:50% off' }])
})

t.test('a failed transformation fails a synchronous call', async (t) => {
  const failing = { ...rules, failure: () => 'Invalid transformation' }
  t.throws(() => deriveNow(video(), cloud, 'w_1', failing), {
    status: 400,
    message: 'Invalid transformation'
  })
})

t.test('refuses to transform a large video synchronously', async (t) => {
  t.throws(() => deriveNow({ ...video(), bytes: 1001 }, cloud, 'w_1', rules), {
    status: 400,
    message: /^Video is too large to process synchronously/
  })
  t.equal(deriveNow(assetWith({ bytes: 1001 }), cloud, 'w_1', rules).length, 1, 'an image is')
})

t.test('an asynchronous call returns a batch, whose parts fail separately', async (t) => {
  const failing = {
    ...rules,
    failure: (_asset: unknown, transformation: string) => (transformation === 'w_2' ? 'no' : undefined)
  }
  const batch = deriveLater({ ...video(), bytes: 1001 }, cloud, 'w_1|w_2', failing)
  t.match(batch.processing, [
    { status: 'processing', batch_id: batch.batchId, url: /w_1/ },
    { status: 'processing', batch_id: batch.batchId, url: /w_2/ }
  ])
  t.match(batch.results, [{ transformation: 'w_1' }, { status: 'failed', reason: 'no' }])
})
