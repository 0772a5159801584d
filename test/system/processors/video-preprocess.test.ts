import { SQSClient } from '@aws-sdk/client-sqs'
import t from 'tap'
import { DeadLetterReader } from '../../../app/commands/redrive/dead-letter-reader.ts'
import { moveDeadLetters } from '../../../app/commands/redrive/move-dead-letters.ts'
import { videoPreprocess } from '../../../app/listener.ts'
import { EventSender } from '../../../app/queue/event-sender.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/sqs.ts'
import { buildListener } from '../../support/listener.ts'
import { collect, QUIET } from '../../support/operator.ts'

const HLS = 'sp_full_hd/m3u8'
const MP4 = 'w_640,q_auto,c_limit/mp4'
/** As Cloudinary names it. */
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
/** The calls for transformations of an asset. */
const asked = (publicId: string) =>
  cloudinary.calls
    .filter(({ action, publicIds }) => action === 'explicit' && publicIds.includes(publicId))
    .map(({ params: { eager, eager_async, eager_notification_url: tell }, status }) => ({
      eager,
      async: eager_async !== undefined,
      tell,
      status
    }))
/** What was noted for the events of an asset, in order. */
const notes = (publicId: string) =>
  lines.filter((line) => line.msg === 'event processed' && line.asset === publicId).map(({ note }) => note)
const letters = () => sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)!.messages.ready

/** What the command does, without the time that a process takes to start. */
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
    signal: new AbortController().signal,
    clock: Date.now
  })
}

t.test('a small video is transformed at once, and tagged as such', async (t) => {
  upload('small', 2 * MB)
  await atRest()
  t.strictSame(asked('small'), [{ eager: `${HLS}|${MP4}`, async: false, tell: undefined, status: 200 }])
  t.strictSame(derived('small'), [HLS, MADE_MP4])
  t.strictSame(asset('small')?.tags, ['small-video'])
  t.strictSame(notes('small'), [`small, 2.0 MB: made ${HLS} | ${MP4}`])
})

t.test('a large video is transformed in the background, and the notification closes the job', async (t) => {
  upload('large', 57_200_000)
  await atRest()
  t.strictSame(asked('large'), [{ eager: `${HLS}|${MP4}`, async: true, tell: webhookUrl, status: 200 }])
  t.strictSame(asset('large')?.tags, ['large-video'])
  t.strictSame(notes('large'), [
    `large, 57.2 MB: asked for ${HLS} | ${MP4} in the background`,
    `large, 57.2 MB: made ${HLS} | ${MP4}`
  ])
})

t.test('a video that Cloudinary finds too large to wait for is left to the background', async (t) => {
  upload('medium', 30 * MB)
  await atRest()
  t.match(asked('medium'), [
    { async: false, status: 400 },
    { async: true, status: 200 }
  ])
  t.strictSame(derived('medium'), [HLS, MADE_MP4])
  t.strictSame(asset('medium')?.tags, ['large-video'])
  t.match(notes('medium'), [
    /^small, 30\.0 MB, yet too large .* asked for /,
    /^small, 30\.0 MB, yet .*: made /
  ])
})

t.test('a video that is still being processed is tried again', async (t) => {
  cloudinary.faults.add({ kind: 'status', status: 423, action: 'explicit', count: 1 })
  upload('busy', 2 * MB)
  await atRest()
  t.match(asked('busy'), [{ status: 423 }, { status: 200 }])
  t.strictSame(derived('busy'), [HLS, MADE_MP4])
})

t.test('a new version of a video is transformed anew', async (t) => {
  upload('small', 3 * MB)
  await atRest()
  t.equal(asked('small').length, 2)
  t.strictSame(derived('small'), [HLS, MADE_MP4])
})

t.test('what is no video is left alone', async (t) => {
  cloudinary.as().upload({ publicId: 'picture' })
  cloudinary.as().derive(cloudinary.assets.find('picture')!, 'w_1', { async: true })
  await atRest()
  t.strictSame(asked('picture'), [])
  t.strictSame(notes('picture'), ['skipped: a batch that this processor did not ask for'])
})

t.test('a notification that comes twice is acted upon once', async (t) => {
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
  'a transformation that fails in the background is a dead letter, and a redrive mends it',
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
          message: { StringValue: /^large, 57\.2 MB: not made: .*Unsupported video format or file.*redrive$/ }
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

t.test('a transformation that fails at once is a dead letter of the upload', async (t) => {
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
