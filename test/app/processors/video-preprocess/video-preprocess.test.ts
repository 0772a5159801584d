import { pino } from 'pino'
import t, { type Test } from 'tap'
import { readConfig } from '../../../../app/config.ts'
import type { AssetEvent, ProcessorContext } from '../../../../app/listener.ts'
import type { Job } from '../../../../app/processors/video-preprocess/job.ts'
import {
  type VideoPreprocessOptions,
  videoPreprocess
} from '../../../../app/processors/video-preprocess/video-preprocess.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { sampleEvent } from '../../../support/events.ts'

const HLS = 'sp_full_hd/m3u8'
const MP4 = 'c_limit,q_auto,w_640/mp4'
const MB = 1_000_000
const NOW = Date.parse('2026-06-01T12:00:10.000Z')

type Fields = Record<string, unknown>

/** The processor on a Cloudinary of its own, with a clock that stands still. */
async function build(t: Test, options: Partial<VideoPreprocessOptions> = {}) {
  const { cloudinary, clients } = await buildCloudinary(t)
  const { state, entries } = memoryState()
  const processor = videoPreprocess({ transformations: [HLS, MP4], ...options }, () => NOW)
  const context = { state, cloudinary: clients.for('demo', new AbortController().signal) } as ProcessorContext
  const find = () => cloudinary.assets.find('clip', { resourceType: 'video' })

  /** Uploads the video `clip`, and gives the event that tells of it. */
  const upload = (bytes: number | undefined, fields: Fields = {}): AssetEvent => {
    const media = { format: 'mp4', bytes: bytes ?? 50 * MB }
    const { asset } = cloudinary.as().upload({ publicId: 'clip', resourceType: 'video', media })
    const { assetId, version } = asset
    const about = { asset_id: assetId, version, bytes, tags: [], ...fields }
    return sampleEvent('upload', { resourceType: 'video', publicId: 'clip' }, about)
  }
  const handle = async (event: AssetEvent) => processor.handle(event, context)
  /** The stored job of an upload. */
  const job = ({ id }: AssetEvent): Job => JSON.parse(entries.get(`test/upload/${id}`) ?? 'null')
  /** The event that tells how the batch of an upload's job has ended. */
  const answer = (uploaded: AssetEvent, eager: unknown, fields: Fields = {}): AssetEvent => {
    const about = { asset_id: find()?.assetId, batch_id: job(uploaded).batchId, eager, ...fields }
    return sampleEvent('eager', { publicId: 'clip' }, about)
  }
  const calls = () =>
    cloudinary.calls.filter(({ action }) => action === 'explicit').map(({ params }) => params)
  return { cloudinary, processor, context, upload, answer, handle, job, calls, tags: () => find()?.tags }
}

const MADE = [{ transformation: HLS }, { transformation: MP4 }]
const HLS_FAILED = [{ transformation: HLS, status: 'failed', reason: 'Unsupported' }, { transformation: MP4 }]
const redriven = (event: AssetEvent, id = 'r1'): AssetEvent => ({ ...event, run: { kind: 'redrive', id } })
const replayed = (event: AssetEvent, id = 'r1'): AssetEvent => ({ ...event, run: { kind: 'replay', id } })
const failure = (message: RegExp) => ({
  name: 'PermanentError',
  code: 'VIDEO_TRANSFORMATION_FAILED',
  message
})

t.test('it is run for videos that are uploaded, and for what Cloudinary made', async (t) => {
  const { name, on, when, timeoutSeconds } = videoPreprocess({ transformations: [HLS] })
  t.match(
    { name, on, timeoutSeconds },
    { name: 'video-preprocess', on: ['upload', 'eager'], timeoutSeconds: 240 }
  )
  t.equal(videoPreprocess({ transformations: [HLS], name: 'second' }).name, 'second')
  t.ok(when?.(sampleEvent('upload', { resourceType: 'video' })))
  t.ok(when?.(sampleEvent('eager')))
  t.notOk(when?.(sampleEvent('upload', { resourceType: 'image' })))
  t.ok(when?.({ ...sampleEvent('upload'), asset: { publicId: 'clip' } }), 'it is looked up')
  t.notOk(
    when?.(sampleEvent('upload', { resourceType: 'video' }, { is_audio: true })),
    'Cloudinary keeps audio as video'
  )
})

t.test('a small video is transformed at once', async (t) => {
  const { upload, handle, calls, job } = await build(t)
  const event = upload(1_234_567)
  t.equal(await handle(event), `small, 1.2 MB: made ${HLS} | ${MP4}`)
  t.match(job(event), {
    status: 'done',
    size: 'small',
    asset: { publicId: 'clip' },
    transformations: [HLS, MP4],
    startedAt: '2026-06-01T12:00:10.000Z',
    endedAt: '2026-06-01T12:00:10.000Z'
  })
  t.notOk('eager_async' in calls()[0]!)
})

t.test('a large video is transformed in the background, and the notification closes the job', async (t) => {
  const { upload, answer, handle, job, calls } = await build(t)
  const event = upload(57_200_000)
  t.equal(await handle(event), `large, 57.2 MB: asked for ${HLS} | ${MP4} in the background`)
  t.match(calls(), [{ eager: `${HLS}|${MP4}`, eager_async: '1' }])
  t.match(job(event), { status: 'processing', batchId: /./, endedAt: undefined })
  t.equal(await handle(answer(event, MADE)), `large, 57.2 MB: made ${HLS} | ${MP4}`)
  t.match(job(event), { status: 'done', made: [HLS, MP4], endedAt: '2026-06-01T12:00:10.000Z' })
})

t.test('what is large is an option; of unknown size, every video is', async (t) => {
  const { upload, handle } = await build(t, { largeBytes: 1000 })
  t.match(await handle(upload(1000)), /^small, 0.0 MB: made /)
  t.match(await handle(upload(1001)), /^large, 0.0 MB: asked for /)
  t.match(await handle(upload(undefined)), /^large, of unknown size: asked for /)
})

t.test('the verdict is tagged where that is wanted', async (t) => {
  const tagging = { tagLarge: 'large-video', tagSmall: 'small-video' }
  for (const [bytes, tag] of [
    [MB, 'small-video'],
    [50 * MB, 'large-video']
  ] as const) {
    const { upload, handle, tags, cloudinary } = await build(t, tagging)
    await handle(upload(bytes))
    t.strictSame(tags(), [tag])
    await handle(upload(bytes, { tags: [tag] }))
    t.equal(
      cloudinary.calls.filter(({ action }) => action === 'tags').length,
      1,
      'what is tagged is not tagged again'
    )
  }
  const { upload, handle, tags } = await build(t, { tagLarge: 'large-video' })
  await handle(upload(MB))
  t.strictSame(tags(), [])
})

t.test('a video that Cloudinary finds too large is a large one', async (t) => {
  const { upload, handle, tags, job } = await build(t, {
    largeBytes: 100 * MB,
    tagLarge: 'big',
    tagSmall: 'small'
  })
  const event = upload(50 * MB)
  t.equal(
    await handle(event),
    `small, 50.0 MB, yet too large for Cloudinary to transform at once: asked for ${HLS} | ${MP4} in the background`
  )
  t.match(job(event), { status: 'processing', size: 'large' })
  t.strictSame(tags(), ['big'])
})

t.test('transformations can be given in parts', async (t) => {
  const transformations = [{ transformation: 'sp_full_hd', format: 'm3u8' }, 'q_auto']
  const { upload, handle, calls } = await build(t, { transformations })
  await handle(upload(MB))
  t.match(calls(), [{ eager: 'sp_full_hd/m3u8|q_auto' }])
})

t.test('Cloudinary is told where to tell of it: the option, else WEBHOOK_URL, else nothing', async (t) => {
  const notificationUrl = 'https://example.com/option'
  const warnings: string[] = []
  const log = pino({}, { write: (line: string) => void warnings.push(line) })
  const config = (env: Record<string, string>) => ({ config: readConfig([], env), log })
  const WEBHOOK_URL = 'https://example.com/variable'
  for (const [options, env, expected] of [
    [{ notificationUrl }, { WEBHOOK_URL }, notificationUrl],
    [{}, { WEBHOOK_URL }, WEBHOOK_URL],
    [{}, {}, undefined]
  ] as const) {
    const { processor, upload, handle, calls } = await build(t, options)
    await processor.start?.(config(env))
    await handle(upload(50 * MB))
    t.equal(calls()[0]?.eager_notification_url, expected)
  }
  t.match(warnings, [/"level":40.*WEBHOOK_URL is not set/], 'the last is warned of')
  const { processor } = await build(t)
  await processor.start?.(config({ POLL_CHANNEL: 'listener' }))
  t.equal(warnings.length, 1, 'unless notifications are polled for')
  const check = (env: Record<string, string>) =>
    processor.check?.({ ...config(env), signal: new AbortController().signal })
  t.match(
    await check({}),
    [{ level: 'warning', message: /WEBHOOK_URL is not set/ }],
    'doctor says so as well'
  )
  t.strictSame(await check({ WEBHOOK_URL }), [])
})

t.test('an upload that is delivered again asks for nothing again', async (t) => {
  for (const bytes of [MB, 50 * MB]) {
    const { upload, handle, calls } = await build(t)
    const event = upload(bytes)
    const note = await handle(event)
    t.equal(await handle(event), note)
    t.equal(calls().length, 1)
  }
})

t.test('a tag that could not be set is set next time, with no second transformation', async (t) => {
  const { cloudinary, upload, handle, calls, tags } = await build(t, { tagLarge: 'big' })
  const event = upload(50 * MB)
  cloudinary.faults.add({ kind: 'status', status: 500, action: 'tags', count: 1 })
  await t.rejects(handle(event), { code: 'CLOUDINARY_UNAVAILABLE' })
  t.match(await handle(event), /^large/)
  t.strictSame(tags(), ['big'])
  t.equal(calls().length, 1)
})

t.test('a new version of a video is a new job, and each batch closes its own', async (t) => {
  const { upload, answer, handle, job, calls } = await build(t)
  const [first, second] = [upload(50 * MB), upload(60 * MB)]
  await handle(first)
  await handle(second)
  t.equal(calls().length, 2)
  await handle(answer(first, MADE))
  t.match([job(first), job(second)], [{ status: 'done' }, { status: 'processing' }])
})

t.test('a transformation that fails at once is a dead letter, and a redrive tries again', async (t) => {
  const { cloudinary, upload, handle, job, tags, calls } = await build(t, { tagSmall: 'small' })
  cloudinary.failEager((_asset, transformation) => (transformation === HLS ? 'Invalid profile' : undefined))
  const event = upload(MB)
  const failed = failure(/^small, 1\.0 MB: not made: .*sp_full_hd\/m3u8.*: 400 Invalid profile\. .*redrive$/)
  await t.rejects(handle(event), failed)
  t.match(job(event), { status: 'failed', reasons: [/Invalid profile/], endedAt: /./ })
  t.strictSame(tags(), ['small'], 'the verdict holds all the same')
  await t.rejects(handle(event), failed, 'delivered again, it is what it was')
  t.equal(calls().length, 1)

  cloudinary.failEager(() => undefined)
  t.match(await handle(redriven(event)), /^small, 1\.0 MB: made /)
  t.match(job(event), { status: 'done', run: 'r1' })
  await handle(redriven(event, 'r2'))
  t.equal(calls().length, 2, 'what is done is not done again by a redrive')
  await handle(replayed(event, 'r3'))
  await handle(replayed(event, 'r3'))
  t.equal(calls().length, 3, 'but by a replay, once')
})

t.test('what a replay could not ask for, a redrive of it asks for, once', async (t) => {
  const { cloudinary, upload, handle, job, calls } = await build(t)
  const event = upload(MB)
  await handle(event)
  cloudinary.faults.add({ kind: 'status', status: 401, action: 'explicit', count: 1 })
  await t.rejects(handle(replayed(event, 'p1')))
  t.equal(calls().length, 2)
  const again: AssetEvent = { ...event, run: { kind: 'redrive', id: 'r1', replay: 'p1' } }
  t.match(await handle(again), /made /)
  t.match(job(event), { status: 'done', run: 'r1', replay: 'p1' })
  await handle({ ...event, run: { kind: 'redrive', id: 'r2', replay: 'p1' } })
  t.equal(calls().length, 3)
})

t.test('a transformation that fails in the background is a dead letter of its notification', async (t) => {
  const { upload, answer, handle, job } = await build(t)
  const event = upload(50 * MB)
  await handle(event)
  const told = answer(event, HLS_FAILED)
  const failed = failure(/^large, 50\.0 MB: not made: sp_full_hd\/m3u8: Unsupported\. Mend /)
  await t.rejects(handle(told), failed)
  t.match(job(event), { status: 'failed', made: [MP4], reasons: [`${HLS}: Unsupported`], endedAt: /./ })
  await t.rejects(handle(told), failed, 'delivered again, it is what it was')
})

t.test(
  'a redrive of the notification asks for what is missing, and the next one closes the job',
  async (t) => {
    const { upload, answer, handle, job, calls } = await build(t)
    const event = upload(50 * MB)
    await handle(event)
    const told = answer(event, HLS_FAILED)
    await t.rejects(handle(told), failure(/Unsupported/))

    t.equal(await handle(redriven(told)), `large, 50.0 MB: asked for ${HLS} in the background`)
    t.match(calls(), [{}, { eager: HLS, eager_async: '1' }])
    t.match(job(event), { status: 'processing', made: [MP4], reasons: [], run: 'r1' })
    t.equal(await handle(redriven(told)), 'skipped: the transformations were asked for again since')
    t.equal(calls().length, 2)

    t.equal(await handle(answer(event, [{ transformation: HLS }])), `large, 50.0 MB: made ${MP4} | ${HLS}`)
    t.equal(await handle(redriven(told, 'r2')), 'skipped: the transformations were asked for again since')
    t.equal(await handle(replayed(answer(event, MADE), 'r3')), `large, 50.0 MB: made ${MP4} | ${HLS}`)
    t.equal(calls().length, 2)
  }
)

t.test("what was made is recognized in Cloudinary's normal form, and in that of other options", async (t) => {
  const wanted = 'w_640,q_auto,c_limit/mp4'
  const text = 'l_text:Arial_40:a%252Cb,g_south'
  const { upload, answer, handle, job, calls, context } = await build(t, {
    transformations: [HLS, wanted, text]
  })
  const event = upload(50 * MB)
  await handle(event)
  const made = [{ transformation: MP4 }, { transformation: 'g_south,l_text:Arial_40:a%2Cb' }]
  const told = answer(event, [{ transformation: HLS, status: 'failed' }, ...made])
  await t.rejects(handle(told), failure(/not made: sp_full_hd\/m3u8: /))
  t.match(job(event), { made: [wanted, text] })
  const changed = videoPreprocess({ transformations: [MP4, HLS, text] }, () => NOW)
  await changed.handle(redriven(told), context)
  t.match(calls(), [{}, { eager: HLS }])
})

t.test('a redrive asks for all where nobody can say what is missing', async (t) => {
  const { upload, answer, handle, calls } = await build(t)
  const event = upload(50 * MB)
  await handle(event)
  const told = answer(event, [...MADE, { status: 'failed' }])
  await t.rejects(handle(told), failure(/a transformation: no reason given/))
  await handle(redriven(told))
  t.match(calls(), [{}, { eager: `${HLS}|${MP4}` }])
})

t.test('a redrive that fails at once is a dead letter again', async (t) => {
  const { cloudinary, upload, answer, handle, calls } = await build(t)
  const event = upload(50 * MB)
  await handle(event)
  const told = answer(event, HLS_FAILED)
  await t.rejects(handle(told), failure(/Unsupported/))
  cloudinary.faults.add({ kind: 'status', status: 400, message: 'Invalid profile', count: 1 })
  await t.rejects(handle(redriven(told)), failure(/400 Invalid profile/))
  await t.rejects(handle(redriven(told)), failure(/400 Invalid profile/), 'delivered again, too')
  t.equal(calls().length, 2)
})

t.test('what went to the background for being slow goes there again', async (t) => {
  const { cloudinary, upload, answer, handle, calls } = await build(t)
  cloudinary.faults.add({ kind: 'reset', action: 'explicit', count: 1 })
  const event = upload(MB)
  t.match(await handle(event), /^small, 1\.0 MB: asked for /)
  const told = answer(event, HLS_FAILED)
  await t.rejects(handle(told), failure(/Unsupported/))
  await handle(redriven(told))
  t.match(calls(), [{}, { eager_async: '1' }, { eager: HLS, eager_async: '1' }])
})

t.test("a notification that says nothing of a batch's end leaves its job open", async (t) => {
  const { upload, answer, handle, job } = await build(t)
  const event = upload(50 * MB)
  await handle(event)
  t.match(await handle(answer(event, [{ status: 'processing' }])), /^large, 50\.0 MB: asked for /)
  t.match(job(event), { status: 'processing', endedAt: undefined })
})

t.test('a batch that it did not ask for is skipped', async (t) => {
  const { handle, calls } = await build(t)
  const skipped = 'skipped: a batch that this processor did not ask for'
  t.equal(await handle(sampleEvent('eager')), skipped)
  t.equal(await handle(sampleEvent('eager', {}, { batch_id: undefined })), skipped)
  t.equal(
    await handle({ ...sampleEvent('eager'), asset: null, receivedAt: '2026-06-01T11:59:10.000Z' }),
    skipped
  )
  t.equal(calls().length, 0)
})

t.test(
  'without the id of the asset a batch may be ahead of its upload: it is looked for once more',
  async (t) => {
    const { upload, answer, handle } = await build(t)
    const early = sampleEvent('eager', {}, { asset_id: undefined })
    const until = new Date(Date.parse(early.receivedAt) + 60_000)
    await t.rejects(handle(early), { name: 'RetryLaterError', until })
    const event = upload(50 * MB)
    await handle(event)
    t.match(await handle(answer(event, MADE, { asset_id: undefined })), /^large, 50\.0 MB: made /)
  }
)

t.test('a video that is still being processed is tried again later', async (t) => {
  const { cloudinary, upload, handle } = await build(t)
  cloudinary.faults.add({ kind: 'status', status: 423, action: 'explicit', count: 1 })
  const event = upload(MB)
  await t.rejects(handle(event), { code: 'CLOUDINARY_UNAVAILABLE', failure: { kind: 'retryable' } })
  t.match(await handle(event), /^small/)
})

t.test('an upload that names no asset is skipped', async (t) => {
  const { handle, calls } = await build(t)
  const event = sampleEvent('upload', { resourceType: 'video' })
  t.equal(await handle({ ...event, asset: null }), 'skipped: the upload names no asset')
  t.equal(calls().length, 0)
})

t.test('an upload that does not say of what kind its asset is, is looked up', async (t) => {
  const { cloudinary, upload, handle, calls } = await build(t)
  const event = upload(MB)
  const assetId = event.asset!.assetId!
  t.match(await handle({ ...event, asset: { assetId, publicId: 'clip' } }), /^small/)
  const image = cloudinary.assets.find('bag')!
  t.equal(await handle({ ...event, asset: { assetId: image.assetId } }), 'skipped: not a video')
  await t.rejects(handle({ ...event, asset: { publicId: 'clip' } }), { code: 'ASSET_KIND_UNKNOWN' })
  t.match(calls(), [{ public_id: 'clip', type: 'upload' }])
  t.equal(calls().length, 1)
})

t.test('options that cannot work are refused when the listener starts', async (t) => {
  const refused = (options: object, message: RegExp) =>
    t.throws(() => videoPreprocess({ transformations: [HLS], ...options }), {
      code: 'LISTENER_CONFIG_INVALID',
      message
    })
  refused({ transformations: [] }, /^videoPreprocess: transformations: /)
  refused({ transformations: ['a|b'] }, /transformations\.0: /)
  refused({ transformations: [HLS, 'w_1, h_1'] }, /transformations\.1: /)
  refused({ transformations: [{ transformation: HLS, format: '' }] }, /transformations\.0/)
  refused({ largeBytes: 0 }, /largeBytes: /)
  refused({ largeBytes: 1.5 }, /largeBytes: /)
  refused({ tagLarge: 'a,b' }, /tagLarge: a tag has no comma/)
  refused({ tagSmall: '' }, /tagSmall: /)
  refused({ notificationUrl: 'ftp://example.com' }, /notificationUrl: /)
  refused({ transformation: HLS }, /options: .*transformation/)
})
