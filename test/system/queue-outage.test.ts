import { createServer } from 'node:http'
import t from 'tap'
import { startSqs } from '../../dev/sqs.ts'
import { buildSystem } from '../support/system.ts'

t.test('while the queue is gone web answers 503, and a retry succeeds once it is back', async (t) => {
  const { cloudinary, sqs, upload, untagged, webhookUrl, atRest } = await buildSystem(t, { retryScale: 0.01 })
  const ready = new URL('/ready', webhookUrl)
  t.equal((await fetch(ready)).status, 200)

  await sqs.stop()
  const publicIds = upload(1)
  const refused = await cloudinary.attempted(({ notificationType }) => notificationType === 'upload')
  t.equal(refused.status, 503)

  const back = await startSqs({ port: Number(new URL(sqs.url).port) })
  t.teardown(() => back.stop())
  await cloudinary.delivered(({ notificationType }) => notificationType === 'upload')
  await cloudinary.called(({ action }) => action === 'metadata')
  await atRest()
  t.strictSame(untagged(publicIds), [])
})

t.test('a queue that never answers is a 503 within 8 s', async (t) => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  t.teardown(() => {
    silent.closeAllConnections()
    silent.close()
  })
  const { cloudinary, upload } = await buildSystem(t, {
    environment: {
      QUEUE_URL: `${url}/000000000000/q.fifo`,
      DEAD_LETTER_QUEUE_URL: `${url}/000000000000/letters.fifo`,
      AWS_ENDPOINT_URL_SQS: url,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local'
    }
  })
  const startedAt = performance.now()
  upload(1)
  const refused = await cloudinary.attempted(({ notificationType }) => notificationType === 'upload')
  t.equal(refused.status, 503)
  t.ok(performance.now() - startedAt < 9000)
})
