import t, { type Test } from 'tap'
import { CloudinaryError } from '../../../../app/listener.ts'
import {
  readEager,
  type TransformOptions,
  transformVideo
} from '../../../../app/processors/video-preprocess/eager-transformations.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const HLS = 'sp_full_hd/m3u8'
const MP4 = 'c_limit,q_auto,w_640/mp4'
const MB = 1_000_000

/** Starts a stand-in with the video `clip`, and transforms it. */
async function build(t: Test, bytes = 2 * MB) {
  const { cloudinary, clients } = await buildCloudinary(t)
  cloudinary.as().upload({ publicId: 'clip', resourceType: 'video', media: { format: 'mp4', bytes } })
  const video = { publicId: 'clip', resourceType: 'video', deliveryType: 'upload' }
  const transform = (options: Partial<TransformOptions> = {}) =>
    transformVideo({
      cloudinary: clients.for('demo', new AbortController().signal),
      asset: video,
      transformations: [HLS, MP4],
      inBackground: false,
      notificationUrl: undefined,
      ...options
    })
  const params = () => cloudinary.calls.map(({ params }) => params)
  return { cloudinary, clients, transform, params }
}

t.test('transforms a video synchronously', async (t) => {
  const { cloudinary, transform, params } = await build(t)
  t.strictSame(await transform({ notificationUrl: 'https://example.com/hook' }), {
    status: 'done',
    made: [HLS, MP4],
    reasons: []
  })
  t.equal(cloudinary.assets.find('clip', { resourceType: 'video' })?.derived.length, 2)
  t.match(params(), [{ public_id: 'clip', type: 'upload', eager: `${HLS}|${MP4}` }])
  t.notOk('eager_async' in params()[0]!)
  t.notOk('eager_notification_url' in params()[0]!)
})

t.test('transforms with the delivery type of the asset', async (t) => {
  const { cloudinary, transform } = await build(t)
  cloudinary.as().upload({ publicId: 'clip', resourceType: 'video', type: 'private', media: { bytes: MB } })
  await transform({ asset: { publicId: 'clip', resourceType: 'video', deliveryType: 'private' } })
  const derived = (type: string) =>
    cloudinary.assets.find('clip', { resourceType: 'video', type })?.derived.length
  t.equal(derived('private'), 2)
  t.equal(derived('upload'), 0)
})

t.test('requests in the background with a notification URL', async (t) => {
  const { transform, params } = await build(t, 50 * MB)
  const notificationUrl = 'https://example.com/hook'
  const result = await transform({ inBackground: true, notificationUrl })
  t.match(result, { status: 'processing', batchId: /^[0-9a-f]{64}$/, made: [], reasons: [] })
  t.notOk('tooLarge' in result)
  await transform({ inBackground: true })
  t.match(params(), [{ eager_async: '1', eager_notification_url: notificationUrl }, { eager_async: '1' }])
  t.notOk('eager_notification_url' in params()[1]!, 'uses the triggers without a URL')
})

t.test('falls back to the background if the video is too large', async (t) => {
  const { transform, params } = await build(t, 50 * MB)
  const notificationUrl = 'https://example.com/hook'
  t.match(await transform({ notificationUrl }), { status: 'processing', batchId: /./, tooLarge: true })
  t.match(params(), [{ eager: `${HLS}|${MP4}` }, { eager: `${HLS}|${MP4}`, eager_async: '1' }])
  t.match(params()[1], { eager_notification_url: notificationUrl })
})

t.test('falls back to the background after a time-out', async (t) => {
  const { cloudinary, transform, params } = await build(t)
  cloudinary.faults.add({ kind: 'reset', action: 'explicit', count: 1 })
  const result = await transform()
  t.match(result, { status: 'processing' })
  t.notOk('tooLarge' in result)
  t.match(params(), [{}, { eager_async: '1' }])
  cloudinary.faults.add({ kind: 'reset', action: 'explicit' })
  await t.rejects(transform(), { code: 'CLOUDINARY_UNREACHABLE' })
  t.equal(params().length, 4, 'no more requests')
})

t.test('returns rejections as failures', async (t) => {
  const { cloudinary, transform, params } = await build(t)
  cloudinary.failEager(() => 'Invalid transformation component - sp_none')
  t.strictSame(await transform(), {
    status: 'failed',
    made: [],
    reasons: [`${HLS} | ${MP4}: transform video: 400 Invalid transformation component - sp_none`]
  })
  const message = 'Video is too large to process synchronously'
  cloudinary.faults.add({ kind: 'status', status: 400, message })
  t.match(await transform({ inBackground: true }), { status: 'failed', reasons: [/too large/] })
  t.equal(params().length, 2, 'no retry of a request in the background')
})

t.test('throws other errors', async (t) => {
  const { cloudinary, clients, transform, params } = await build(t)
  const faults = [
    { status: 423, failure: { kind: 'retryable' } },
    { status: 404, failure: { kind: 'permanent' } },
    { status: 503, failure: { kind: 'retryable' } }
  ]
  for (const { status, failure } of faults) {
    cloudinary.faults.add({ kind: 'status', status, count: 1 })
    const error: unknown = await transform().catch((reason) => reason)
    t.ok(error instanceof CloudinaryError)
    t.match(error, { status, failure })
  }
  t.equal(params().length, faults.length)
  t.ok(clients.breaker('demo').isClosed)
  const bug = new TypeError('a bug')
  await t.rejects(transform({ cloudinary: { call: async () => Promise.reject(bug) } }), bug)
})

t.test('reads results and failures', async (t) => {
  const requested = [HLS, MP4]
  t.strictSame(readEager([{ transformation: HLS, format: 'm3u8' }, { transformation: MP4 }], requested), {
    status: 'done',
    made: [HLS, MP4],
    reasons: []
  })
  t.strictSame(
    readEager(
      [{ transformation: MP4 }, { transformation: HLS, status: 'failed', reason: 'Unsupported' }],
      requested
    ),
    { status: 'failed', made: [MP4], reasons: [`${HLS}: Unsupported`] },
    'by the name in the entry'
  )
  const others = ['w_640,c_limit/mp4', 'l_text:Arial_40:a%252Cb,w_1']
  t.strictSame(
    readEager(
      [{ transformation: 'l_text:Arial_40:a%2Cb,w_1' }, { transformation: 'c_limit,w_640/mp4' }],
      others
    ),
    { status: 'done', made: others.toReversed(), reasons: [] },
    "in Cloudinary's normal form"
  )
  t.match(readEager([{ transformation: 'w_2' }], ['w_1']), { made: ['w_2'] }, 'unknown name is kept')
  t.strictSame(
    readEager([{ url: 'https://example.com' }, { status: 'failed' }], requested),
    { status: 'failed', made: [HLS], reasons: [`${MP4}: no reason given`] },
    'by its place, where it has none'
  )
  t.strictSame(
    readEager([{ status: 'failed', reason: 'Unsupported' }], requested),
    { status: 'failed', made: [], reasons: ['unknown transformation: Unsupported'] },
    'by neither, where some are missing'
  )
})

t.test('reads the batch of processing entries', async (t) => {
  const processing = { status: 'processing', batch_id: 'b1', url: 'https://example.com' }
  t.strictSame(readEager([processing, processing], [HLS, MP4]), {
    status: 'processing',
    batchId: 'b1',
    made: [],
    reasons: []
  })
  t.strictSame(readEager([{ transformation: HLS }, processing], [HLS, MP4]), {
    status: 'processing',
    batchId: 'b1',
    made: [HLS],
    reasons: []
  })
  t.strictSame(readEager([{ status: 'processing' }], [HLS]), { status: 'processing', made: [], reasons: [] })
  t.match(
    readEager([processing, { status: 'failed' }], [HLS, MP4]),
    { status: 'failed' },
    'one has failed already'
  )
})

t.test('does not count an empty answer as success', async (t) => {
  for (const nothing of [undefined, null, [], {}, 'done']) {
    t.strictSame(readEager(nothing, [HLS, MP4]), {
      status: 'failed',
      made: [],
      reasons: [`${HLS} | ${MP4}: Cloudinary returned no result`]
    })
  }
  t.strictSame(
    readEager([null, 5, { bytes: 1 }], []),
    { status: 'failed', made: [], reasons: Array(3).fill('unknown transformation: no reason given') },
    'an entry that names nothing'
  )
})
