import { createServer } from 'node:http'
import t from 'tap'
import { helloWorldTag, lastUpdateTimestamp } from '../../../app/listener.ts'
import type { Delivery } from '../../../dev/cloudinary/cloudinary-server.ts'
import { type EmbeddedSqs, startSqs } from '../../../dev/embedded-sqs.ts'
import { buildListener } from '../../support/listener.ts'
import { freePort } from '../../support/system.ts'

const processors = [helloWorldTag(), lastUpdateTimestamp()]
const { cloudinary, sqs, webhookUrl, lines } = await buildListener(t, processors, {
  retryScale: 0.01,
  sqsPort: await freePort()
})
/** Port of every queue that is started, so that the roles find it. */
const port = Number(new URL(sqs.url).port)
let queue: EmbeddedSqs = sqs
t.teardown(() => queue.stop())

const isUploadOf = (publicId: string) => (delivery: Delivery) =>
  delivery.notificationType === 'upload' && JSON.parse(delivery.body).public_id === publicId

/** Uploads an asset, and returns the first delivery of its notification. */
function upload(publicId: string): Promise<Delivery> {
  cloudinary.as().upload({ publicId, resourceType: 'image' })
  return cloudinary.attempted(isUploadOf(publicId))
}

/** Restarts the queue, and returns the asset's tags once its upload is redelivered and processed. */
async function recover(publicId: string): Promise<readonly string[] | undefined> {
  queue = await startSqs({ port })
  await cloudinary.delivered(isUploadOf(publicId))
  await cloudinary.called(({ action, publicIds }) => action === 'metadata' && publicIds.includes(publicId))
  return cloudinary.assets.find(publicId)?.tags
}

t.test('answers 503 while the queue is down, and a retry succeeds when it is back', async (t) => {
  t.equal((await fetch(new URL('/ready', webhookUrl))).status, 200)
  await queue.stop()
  t.equal((await upload('gone')).status, 503)
  t.strictSame(await recover('gone'), ['Hello World!'])
})

t.test('answers 503 within 8 s when the queue hangs, and a retry succeeds when it answers', async (t) => {
  await queue.stop()
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(port, resolve))
  t.equal((await upload('silent')).status, 503)
  const refusal = lines.findLast(({ code }) => code === 'QUEUE_UNAVAILABLE')
  t.ok(Number(refusal?.milliseconds) < 9000)
  const closed = new Promise((resolve) => silent.close(resolve))
  silent.closeAllConnections()
  await closed
  t.strictSame(await recover('silent'), ['Hello World!'])
})
