import { gunzipSync } from 'node:zlib'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import t, { type Test } from 'tap'
import { readConfig } from '../../../../app/config.ts'
import { type ArchiveOptions, archive, type ProcessorContext } from '../../../../app/listener.ts'
import { startSqs } from '../../../../dev/embedded-sqs.ts'
import { eventOf, QUIET } from '../../../support/operator.ts'
import { buildReceiver } from '../../../support/receiver.ts'

const signal = new AbortController().signal
const sqs = await startSqs()
Object.assign(process.env, sqs.environment)
const s3 = new S3Client({ forcePathStyle: true })
t.teardown(async () => {
  s3.destroy()
  await sqs.stop()
})

/** The events of each object, by key. */
async function stored(prefix: string): Promise<Record<string, unknown[]>> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: sqs.bucket, Prefix: prefix }))
  const entries = Contents.map(async ({ Key }) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: sqs.bucket, Key }))
    const text = gunzipSync(await Body!.transformToByteArray()).toString()
    return [
      Key,
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    ]
  })
  return Object.fromEntries(await Promise.all(entries))
}

async function build(t: Test, options: ArchiveOptions, concurrency = 4) {
  const config = readConfig([], { ARCHIVE_BUCKET: sqs.bucket, WORKER_CONCURRENCY: String(concurrency) })
  const ticks: (() => void)[] = []
  const processor = archive(options, { schedule: (tick) => void ticks.push(tick) })
  await processor.start?.({ config, log: QUIET })
  t.teardown(() => processor.stop?.())
  return {
    ticks,
    handle: async (id: string, occurredAt = '2026-06-01T12:00:00.000Z', within = signal) =>
      processor.handle(eventOf(id, { occurredAt }), { config, signal: within } as ProcessorContext)
  }
}

t.test('handles all events, needs a bucket and a package', async (t) => {
  t.match(archive(), {
    name: 'archive',
    on: ['*'],
    ownChanges: true,
    requires: ['ARCHIVE_BUCKET'],
    packages: ['@aws-sdk/client-s3']
  })
  t.match(archive({ bucket: 'my-archive', name: 'second', on: ['upload'], ownChanges: false }), {
    name: 'second',
    on: ['upload'],
    ownChanges: false,
    requires: undefined
  })
})

t.test('stores events in flight together, under load without the window', async (t) => {
  const { handle, ticks } = await build(t, { prefix: 'load/' })
  const notes = await Promise.all([handle('a'), handle('b')])
  const [[key, events] = ['', []]] = Object.entries(await stored('load/'))
  t.strictSame(notes, [`stored in s3://${sqs.bucket}/${key}`, `stored in s3://${sqs.bucket}/${key}`])
  t.match(events, [
    { specversion: '1.0', id: 'a', type: 'com.cloudinary.upload' },
    { id: 'b', subject: 'image/upload/asset-of-b' }
  ])
  t.match(key, /^load\/dt=2026-06-01\//)
  t.equal(ticks.length, 1)
})

t.test('stores what has arrived when the window ends', async (t) => {
  const { handle, ticks } = await build(t, { prefix: 'window/', maximumEvents: 10 })
  const notes = [handle('a'), handle('b'), handle('c')]
  ticks[0]?.()
  await Promise.all(notes)
  t.strictSame(
    Object.values(await stored('window/')).map(({ length }) => length),
    [3]
  )
})

t.test('one lane stores each event at once', async (t) => {
  const { handle } = await build(t, { prefix: 'single/', bucket: sqs.bucket, region: 'us-east-1' }, 1)
  await handle('a')
  await handle('a')
  t.strictSame(Object.keys(await stored('single/')).length, 1, 'a repeated event has the same object')
})

t.test('fails each event of an object that is not stored', async (t) => {
  const { handle } = await build(t, { bucket: 'nowhere' })
  const results = await Promise.allSettled([handle('a'), handle('b')])
  t.match(results, [{ reason: { code: 'ARCHIVE_REJECTED' } }, { reason: { code: 'ARCHIVE_REJECTED' } }])
})

t.test('each day settles by its own object', async (t) => {
  const receiver = await buildReceiver(
    t,
    { status: 403, body: '<Error><Code>AccessDenied</Code><Message>no</Message></Error>' },
    200
  )
  process.env.AWS_ENDPOINT_URL_S3 = new URL(receiver.url).origin
  t.teardown(() => Object.assign(process.env, sqs.environment))
  const { handle, ticks } = await build(t, { prefix: 'days/', maximumEvents: 10 })
  const results = Promise.allSettled([handle('a'), handle('b', '2026-06-02T12:00:00.000Z')])
  ticks[0]?.()
  t.match(await results, [
    { status: 'rejected', reason: { code: 'ARCHIVE_UNAUTHORIZED' } },
    { status: 'fulfilled', value: /dt=2026-06-02/ }
  ])
})

t.test('an event that was aborted while it waited is not stored', async (t) => {
  const stopping = new AbortController()
  const { handle, ticks } = await build(t, { prefix: 'stopped/', maximumEvents: 10 })
  const aborted = handle('a', undefined, stopping.signal)
  const other = handle('b')
  stopping.abort(new Error('stopping'))
  ticks[0]?.()
  await t.rejects(aborted, /stopping/)
  await other
  t.match(Object.values(await stored('stopped/')), [[{ id: 'b' }]])
})

t.test('waits for the window by default', async (t) => {
  const processor = archive({ prefix: 'default/', windowSeconds: 0.001 })
  processor.stop?.()
  const config = readConfig([], { ARCHIVE_BUCKET: sqs.bucket })
  await processor.start?.({ config, log: QUIET })
  t.match(await processor.handle(eventOf('a'), { config, signal } as ProcessorContext), /default\/dt=/)
  processor.stop?.()
})

t.test('checks the bucket', async (t) => {
  const check = (options: ArchiveOptions) =>
    archive(options).check?.({ config: readConfig([], { ARCHIVE_BUCKET: sqs.bucket }), log: QUIET, signal })
  t.match(await check({}), [{ level: 'ok' }])
  t.match(await check({ bucket: 'nowhere' }), [{ level: 'fault' }])
})

t.test('rejects invalid options', async (t) => {
  const refused = (options: object, message: RegExp) =>
    t.throws(() => archive(options), { code: 'LISTENER_CONFIG_INVALID', message })
  refused({ bucket: 's3://archive' }, /^archive: bucket: must be the name of an S3 bucket/)
  refused({ region: 'Ireland' }, /^archive: region: /)
  for (const prefix of ['events', '/events/', 'a b/', 'a//']) refused({ prefix }, /^archive: prefix: /)
  refused({ windowSeconds: 61 }, /^archive: windowSeconds: /)
  refused({ maximumEvents: 0 }, /^archive: maximumEvents: /)
  refused({ on: [] }, /^archive: on: /)
  refused({ folder: 'x' }, /^archive: options: /)
})
