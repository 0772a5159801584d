import t, { type Test } from 'tap'
import { CloudinaryError } from '../../../../app/listener.ts'
import { type AskOptions, askFor, readEager } from '../../../../app/processors/video-preprocess/eager.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const HLS = 'sp_full_hd/m3u8'
const MP4 = 'c_limit,q_auto,w_640/mp4'
const MB = 1_000_000

/** A Cloudinary with a video `clip`, and what asks it for transformations of that. */
async function build(t: Test, bytes = 2 * MB) {
  const { cloudinary, clients } = await buildCloudinary(t)
  cloudinary.as().upload({ publicId: 'clip', resourceType: 'video', media: { format: 'mp4', bytes } })
  const video = { publicId: 'clip', resourceType: 'video', deliveryType: 'upload' }
  const ask = (options: Partial<AskOptions> = {}) =>
    askFor({
      cloudinary: clients.for('demo', new AbortController().signal),
      asset: video,
      transformations: [HLS, MP4],
      inBackground: false,
      notificationUrl: undefined,
      ...options
    })
  const params = () => cloudinary.calls.map(({ params }) => params)
  return { cloudinary, clients, ask, params }
}

t.test('a video is transformed while we wait', async (t) => {
  const { cloudinary, ask, params } = await build(t)
  t.strictSame(await ask({ notificationUrl: 'https://example.com/hook' }), {
    status: 'done',
    made: [HLS, MP4],
    reasons: []
  })
  t.equal(cloudinary.assets.find('clip', { resourceType: 'video' })?.derived.length, 2)
  t.match(params(), [{ public_id: 'clip', type: 'upload', eager: `${HLS}|${MP4}` }])
  t.notOk('eager_async' in params()[0]!)
  t.notOk('eager_notification_url' in params()[0]!)
})

t.test('of another delivery type it is transformed as such', async (t) => {
  const { cloudinary, ask } = await build(t)
  cloudinary.as().upload({ publicId: 'clip', resourceType: 'video', type: 'private', media: { bytes: MB } })
  await ask({ asset: { publicId: 'clip', resourceType: 'video', deliveryType: 'private' } })
  const derived = (type: string) =>
    cloudinary.assets.find('clip', { resourceType: 'video', type })?.derived.length
  t.equal(derived('private'), 2)
  t.equal(derived('upload'), 0)
})

t.test('in the background it is answered with the batch, and told to the URL that is given', async (t) => {
  const { ask, params } = await build(t, 50 * MB)
  const notificationUrl = 'https://example.com/hook'
  const asked = await ask({ inBackground: true, notificationUrl })
  t.match(asked, { status: 'processing', batchId: /^[0-9a-f]{64}$/, made: [], reasons: [] })
  t.notOk('tooLarge' in asked)
  await ask({ inBackground: true })
  t.match(params(), [{ eager_async: '1', eager_notification_url: notificationUrl }, { eager_async: '1' }])
  t.notOk('eager_notification_url' in params()[1]!, 'without one, Cloudinary tells whom it tells anyway')
})

t.test('what is too large to wait for is asked for in the background at once', async (t) => {
  const { ask, params } = await build(t, 50 * MB)
  const notificationUrl = 'https://example.com/hook'
  t.match(await ask({ notificationUrl }), { status: 'processing', batchId: /./, tooLarge: true })
  t.match(params(), [{ eager: `${HLS}|${MP4}` }, { eager: `${HLS}|${MP4}`, eager_async: '1' }])
  t.match(params()[1], { eager_notification_url: notificationUrl })
})

t.test('what is not answered while we wait is asked for in the background at once', async (t) => {
  const { cloudinary, ask, params } = await build(t)
  cloudinary.faults.add({ kind: 'reset', action: 'explicit', count: 1 })
  const asked = await ask()
  t.match(asked, { status: 'processing' })
  t.notOk('tooLarge' in asked)
  t.match(params(), [{}, { eager_async: '1' }])
  cloudinary.faults.add({ kind: 'reset', action: 'explicit' })
  await t.rejects(ask(), { code: 'CLOUDINARY_UNREACHABLE' })
  t.equal(params().length, 4, 'and no further')
})

t.test('a refusal of the transformations is no error, but what became of them', async (t) => {
  const { cloudinary, ask, params } = await build(t)
  cloudinary.failEager(() => 'Invalid transformation component - sp_none')
  t.strictSame(await ask(), {
    status: 'failed',
    made: [],
    reasons: [`${HLS} | ${MP4}: transform video: 400 Invalid transformation component - sp_none`]
  })
  const message = 'Video is too large to process synchronously'
  cloudinary.faults.add({ kind: 'status', status: 400, message })
  t.match(await ask({ inBackground: true }), { status: 'failed', reasons: [/too large/] })
  t.equal(params().length, 2, 'what the background refuses is not asked for again')
})

t.test('other faults are for the caller, with what to do about them', async (t) => {
  const { cloudinary, clients, ask, params } = await build(t)
  const faults = [
    { status: 423, failure: { kind: 'retryable' } },
    { status: 404, failure: { kind: 'permanent' } },
    { status: 503, failure: { kind: 'retryable' } }
  ]
  for (const { status, failure } of faults) {
    cloudinary.faults.add({ kind: 'status', status, count: 1 })
    const error: unknown = await ask().catch((reason) => reason)
    t.ok(error instanceof CloudinaryError)
    t.match(error, { status, failure })
  }
  t.equal(params().length, faults.length)
  t.ok(clients.breaker('demo').isClosed)
  const bug = new TypeError('a bug')
  await t.rejects(ask({ cloudinary: { call: async () => Promise.reject(bug) } }), bug)
})

t.test('what was made, and what was not, is read from either spelling', async (t) => {
  const asked = [HLS, MP4]
  t.strictSame(readEager([{ transformation: HLS, format: 'm3u8' }, { transformation: MP4 }], asked), {
    status: 'done',
    made: [HLS, MP4],
    reasons: []
  })
  t.strictSame(
    readEager(
      [{ transformation: MP4 }, { transformation: HLS, status: 'failed', reason: 'Unsupported' }],
      asked
    ),
    { status: 'failed', made: [MP4], reasons: [`${HLS}: Unsupported`] },
    'by the name that the entry has'
  )
  const requested = ['w_640,c_limit/mp4', 'l_text:Arial_40:a%252Cb,w_1']
  t.strictSame(
    readEager(
      [{ transformation: 'l_text:Arial_40:a%2Cb,w_1' }, { transformation: 'c_limit,w_640/mp4' }],
      requested
    ),
    { status: 'done', made: requested.toReversed(), reasons: [] },
    "in Cloudinary's normal form"
  )
  t.match(readEager([{ transformation: 'w_2' }], ['w_1']), { made: ['w_2'] }, 'by its own, if not requested')
  t.strictSame(
    readEager([{ url: 'https://example.com' }, { status: 'failed' }], asked),
    { status: 'failed', made: [HLS], reasons: [`${MP4}: no reason given`] },
    'by its place, where it has none'
  )
  t.strictSame(
    readEager([{ status: 'failed', reason: 'Unsupported' }], asked),
    { status: 'failed', made: [], reasons: ['a transformation: Unsupported'] },
    'by neither, where some are missing'
  )
})

t.test('what is still to come is named by its batch', async (t) => {
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

t.test('what says nothing is not taken for success', async (t) => {
  for (const nothing of [undefined, null, [], {}, 'done']) {
    t.strictSame(readEager(nothing, [HLS, MP4]), {
      status: 'failed',
      made: [],
      reasons: [`${HLS} | ${MP4}: Cloudinary names no result`]
    })
  }
  t.strictSame(
    readEager([null, 5, { bytes: 1 }], []),
    { status: 'failed', made: [], reasons: Array(3).fill('a transformation: no reason given') },
    'an entry that names nothing'
  )
})
