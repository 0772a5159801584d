import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import t, { type Test } from 'tap'
import { ArchiveStore } from '../../../../app/processors/archive/archive-store.ts'
import { startSqs } from '../../../../dev/embedded-sqs.ts'
import { type Answer, buildReceiver } from '../../../support/receiver.ts'

const SIGNAL = new AbortController().signal
const OBJECT = { key: 'events/dt=2026-06-01/a.jsonl.gz', body: Buffer.from('compressed') }

const sqs = await startSqs()
t.teardown(() => sqs.stop())
Object.assign(process.env, sqs.environment)

async function open(t: Test, bucket = sqs.bucket, region?: string) {
  const store = await ArchiveStore.open(bucket, region)
  t.teardown(() => store.close())
  return store
}

/** A store whose S3 gives these answers. */
async function answering(t: Test, ...answers: [Answer, ...Answer[]]) {
  const receiver = await buildReceiver(t, ...answers)
  const { AWS_ENDPOINT_URL_S3 } = process.env
  process.env.AWS_ENDPOINT_URL_S3 = new URL(receiver.url).origin
  t.teardown(() => Object.assign(process.env, { AWS_ENDPOINT_URL_S3 }))
  return { receiver, store: await open(t, sqs.bucket, 'eu-west-1') }
}

const error = (status: number, code: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<Error><Code>${code}</Code><Message>it said</Message></Error>`
})

t.test('stores an object, and replaces it', async (t) => {
  const store = await open(t)
  await store.put({ ...OBJECT, body: Buffer.from('before') })
  await store.put(OBJECT)
  const client = new S3Client({ forcePathStyle: true })
  t.teardown(() => client.destroy())
  const { Body, ContentType } = await client.send(
    new GetObjectCommand({ Bucket: sqs.bucket, Key: OBJECT.key })
  )
  t.equal(await Body?.transformToString(), 'compressed')
  t.equal(ContentType, 'application/gzip')
})

t.test('rejects a bucket that does not exist', async (t) => {
  const store = await open(t, 'nowhere')
  await t.rejects(store.put(OBJECT), { name: 'PermanentError', code: 'ARCHIVE_REJECTED' })
  t.match(await store.check(SIGNAL), { level: 'fault', message: /bucket nowhere does not exist/ })
})

t.test('retries within the call, then leaves it to the worker', async (t) => {
  const { receiver, store } = await answering(t, error(503, 'SlowDown'), 200)
  await store.put(OBJECT)
  t.equal(receiver.requests.length, 2)
  t.match(receiver.requests[0]?.path, `/${sqs.bucket}/events/`)
  const down = await answering(t, error(503, 'ServiceUnavailable'))
  await t.rejects(down.store.put(OBJECT), { name: 'ListenerError', code: 'ARCHIVE_UNAVAILABLE' })
})

t.test('a time-out ends a call', async (t) => {
  const { receiver } = await answering(t, 'hang')
  const store = await ArchiveStore.open(sqs.bucket, 'eu-west-1', 20)
  t.teardown(() => store.close())
  await t.rejects(store.put(OBJECT), { code: 'ARCHIVE_UNAVAILABLE', message: /^S3: TimeoutError/ })
  t.equal(receiver.requests.length, 3)
})

t.test('retries without permission, since it can be granted', async (t) => {
  const { store } = await answering(t, error(403, 'AccessDenied'))
  await t.rejects(store.put(OBJECT), { code: 'ARCHIVE_UNAUTHORIZED', message: /allow s3:PutObject/ })
})

t.test('checks the bucket', async (t) => {
  t.match(await (await open(t)).check(SIGNAL), { level: 'ok', message: /cloudinary-archive exists/ })
  const forbidden = await answering(t, 403)
  t.match(await forbidden.store.check(SIGNAL), { level: 'warning', message: /allow s3:ListBucket/ })
  const down = await answering(t, 500)
  await t.rejects(down.store.check(SIGNAL), { code: 'ARCHIVE_UNAVAILABLE' })
  await t.rejects(down.store.check(AbortSignal.abort()), { name: 'AbortError' })
})
