import { SQSClient } from '@aws-sdk/client-sqs'
import t from 'tap'
import { moveDeadLetters } from '../../../app/commands/redrive/move-dead-letters.ts'
import { videoPreprocess } from '../../../app/listener.ts'
import { DeadLetterReader } from '../../../app/queue/dead-letter-reader.ts'
import { EventSender } from '../../../app/queue/event-sender.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import { buildListener } from '../../support/listener.ts'
import { collect, QUIET } from '../../support/operator.ts'

const HLS = 'sp_full_hd/m3u8'
const MP4 = 'w_640,q_auto,c_limit/mp4'
/** Cloudinary's name of MP4. */
const MADE_MP4 = 'c_limit,q_auto,w_640/mp4'
const MB = 1_000_000

const processor = videoPreprocess({
  transformations: [HLS, { transformation: 'w_640,q_auto,c_limit', format: 'mp4' }],
  tagLarge: 'large-video',
  tagSmall: 'small-video'
})
const system = await buildListener(t, [processor], { cloudinary: { videoSyncLimitBytes: 20 * MB } })
const { cloudinary, sqs, atRest, lines, webhookUrl } = system

function upload(publicId: string, bytes: number): void {
  cloudinary.as().upload({ publicId, resourceType: 'video', media: { format: 'mp4', bytes } })
}
const asset = (publicId: string) => cloudinary.assets.find(publicId, { resourceType: 'video' })
const derived = (publicId: string) => asset(publicId)?.derived.map(({ transformation }) => transformation)
/** The calls that request transformations of an asset. */
const asked = (publicId: string) =>
  cloudinary.calls
    .filter(({ action, publicIds }) => action === 'explicit' && publicIds.includes(publicId))
    .map(({ params: { eager, eager_async, eager_notification_url: tell }, status }) => ({
      eager,
      async: eager_async !== undefined,
      tell,
      status
    }))
/** Notes of the processed events of an asset, in order. */
const notes = (publicId: string) =>
  lines.filter((line) => line.msg === 'event processed' && line.asset === publicId).map(({ note }) => note)
const letters = () => sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)!.messages.ready

/** Runs `redrive` in this process. */
async function redriveAll(): Promise<number> {
  const client = new SQSClient()
  t.teardown(() => client.destroy())
  const all = { ids: [], types: [], dryRun: false }
  return moveDeadLetters(all, {
    reader: new DeadLetterReader({
      sqs: client,
      queueUrl: sqs.deadLetterQueueUrl,
      log: QUIET,
      waitTimeSeconds: 0
    }),
    sender: new EventSender({ sqs: client, queueUrl: sqs.queueUrl }),
    print: collect().print,
    runId: 'run-1',
    origin: { by: 'anna', at: '2026-06-01T12:00:00.000Z', from: 'command' },
    signal: new AbortController().signal,
    clock: Date.now
  })
}

t.test('transforms a small video synchronously and tags it', async (t) => {
  upload('small', 2 * MB)
  await atRest()
  t.strictSame(asked('small'), [{ eager: `${HLS}|${MP4}`, async: false, tell: undefined, status: 200 }])
  t.strictSame(derived('small'), [HLS, MADE_MP4])
  t.strictSame(asset('small')?.tags, ['small-video'])
  t.strictSame(notes('small'), [`small, 2.0 MB: made ${HLS} | ${MP4}`])
})

t.test('transforms a large video in the background; the notification completes the job', async (t) => {
  upload('large', 57_200_000)
  await atRest()
  t.strictSame(asked('large'), [{ eager: `${HLS}|${MP4}`, async: true, tell: webhookUrl, status: 200 }])
  t.strictSame(asset('large')?.tags, ['large-video'])
  t.strictSame(notes('large'), [
    `large, 57.2 MB: requested ${HLS} | ${MP4} in the background`,
    `large, 57.2 MB: made ${HLS} | ${MP4}`
  ])
})

t.test('falls back to the background if Cloudinary finds a video too large', async (t) => {
  upload('medium', 30 * MB)
  await atRest()
  t.match(asked('medium'), [
    { async: false, status: 400 },
    { async: true, status: 200 }
  ])
  t.strictSame(derived('medium'), [HLS, MADE_MP4])
  t.strictSame(asset('medium')?.tags, ['large-video'])
  t.match(notes('medium'), [
    /^small, 30\.0 MB, too large .* requested /,
    /^small, 30\.0 MB, too large .*: made /
  ])
})

t.test('retries a video that is still being processed', async (t) => {
  cloudinary.faults.add({ kind: 'status', status: 423, action: 'explicit', count: 1 })
  upload('busy', 2 * MB)
  await atRest()
  t.match(asked('busy'), [{ status: 423 }, { status: 200 }])
  t.strictSame(derived('busy'), [HLS, MADE_MP4])
})

t.test('transforms a new version of a video again', async (t) => {
  upload('small', 3 * MB)
  await atRest()
  t.equal(asked('small').length, 2)
  t.strictSame(derived('small'), [HLS, MADE_MP4])
})

t.test('ignores assets that are not videos', async (t) => {
  cloudinary.as().upload({ publicId: 'picture' })
  cloudinary.as().derive(cloudinary.assets.find('picture')!, 'w_1', { async: true })
  await atRest()
  t.strictSame(asked('picture'), [])
  t.strictSame(notes('picture'), ['skipped: this processor did not request the batch'])
})

t.test('a duplicate notification has no effect', async (t) => {
  const calls = cloudinary.calls.length
  const deliveries = [...cloudinary.deliveries]
  for (const { body, headers, url } of deliveries) {
    t.equal((await fetch(url, { method: 'POST', body, headers })).status, 200)
  }
  await atRest()
  t.ok(deliveries.length >= 12)
  t.equal(cloudinary.calls.length, calls)
})

t.test(
  'a transformation that fails in the background is dead-lettered, and a redrive repeats it',
  async (t) => {
    cloudinary.failEager((_asset, transformation) =>
      transformation === HLS ? 'Unsupported video format or file' : undefined
    )
    upload('broken', 57_200_000)
    await atRest()
    t.match(letters(), [
      {
        messageAttributes: {
          code: { StringValue: 'VIDEO_TRANSFORMATION_FAILED' },
          processor: { StringValue: 'video-preprocess' },
          message: { StringValue: /^large, 57\.2 MB: failed: .*Unsupported video format or file.*redrive$/ }
        }
      }
    ])
    t.match(JSON.parse(letters()[0]!.body), { type: 'eager' })
    t.match(
      lines.filter(({ msg, asset }) => msg === 'event dead-lettered' && asset === 'broken'),
      [{ level: 50, err: { code: 'VIDEO_TRANSFORMATION_FAILED' } }]
    )

    cloudinary.failEager(() => undefined)
    t.equal(await redriveAll(), 0)
    await atRest()
    t.strictSame(letters(), [])
    t.match(asked('broken'), [{ async: true }, { eager: HLS, async: true }])
    t.strictSame(derived('broken')?.toSorted(), [MADE_MP4, HLS])
    t.strictSame(notes('broken').at(-1), `large, 57.2 MB: made ${MP4} | ${HLS}`)
  }
)

t.test('a transformation that fails synchronously dead-letters the upload', async (t) => {
  cloudinary.failEager(() => 'Invalid transformation component - sp_full_hd')
  upload('refused', 2 * MB)
  await atRest()
  t.match(asked('refused'), [{ async: false, status: 400 }])
  t.match(letters(), [
    {
      messageAttributes: {
        code: { StringValue: 'VIDEO_TRANSFORMATION_FAILED' },
        message: { StringValue: /sp_full_hd\/m3u8.* 400 Invalid transformation component - sp_full_hd/ }
      }
    }
  ])
  t.match(JSON.parse(letters()[0]!.body), { type: 'upload' })
  t.strictSame(asset('refused')?.tags, ['small-video'])
})
