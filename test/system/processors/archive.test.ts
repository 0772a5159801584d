import { gunzipSync } from 'node:zlib'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { CloudEvent } from 'cloudevents'
import t from 'tap'
import { archive, eventBridge } from '../../../app/listener.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import { type FaultProxy, type ProxyFault, startFaultProxy } from '../../support/fault-proxy.ts'
import { buildListener } from '../../support/listener.ts'

/** In front of S3 and EventBridge. */
const proxies: FaultProxy[] = []
const tools = { timeoutMs: 300 }
const { cloudinary, sqs, atRest, lines, logged } = await buildListener(
  t,
  async ({ sqs, environment: { AWS_ENDPOINT_URL_EVENTBRIDGE: bus } }) => {
    for (const target of [sqs.url, new URL(bus!).origin]) proxies.push(await startFaultProxy({ target }))
    const [toS3, toBus] = proxies
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_S3: toS3!.url,
      AWS_ENDPOINT_URL_EVENTBRIDGE: `${toBus!.url}${new URL(bus!).pathname}`
    })
    return [
      eventBridge({}, tools),
      archive({ windowSeconds: 0.05 }, tools),
      archive({ name: 'nowhere', bucket: 'no-such-bucket', on: ['delete'], windowSeconds: 0 })
    ]
  },
  { retriesSoon: true }
)
const s3 = new S3Client({ forcePathStyle: true })
t.teardown(async () => {
  s3.destroy()
  for (const proxy of proxies) await proxy.stop()
})

// not an interface, since CloudEvent wants an index signature
type ArchivedEvent = { id: string; type: string; data: unknown }

/** The lines of all objects. */
async function archived(): Promise<ArchivedEvent[]> {
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: sqs.bucket, Prefix: 'events/dt=' })
  )
  const objects = Contents.map(async ({ Key }) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: sqs.bucket, Key }))
    const text = gunzipSync(await Body!.transformToByteArray()).toString()
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  })
  return (await Promise.all(objects)).flat()
}

const onBus = async () =>
  (await (await fetch(`${cloudinary.url}/_standin/bus`)).json()) as {
    DetailType: string
    Detail: ArchivedEvent
  }[]

t.test('each event is in the archive and on the bus once, as valid CloudEvent', async (t) => {
  for (let index = 0; index < 5; index++) cloudinary.as().upload({ publicId: `bag-${index}` })
  cloudinary.ui().addTags('bag-0', ['sale'])
  await atRest()
  const events = await archived()
  t.strictSame(events.map(({ type }) => type).toSorted(), [
    'com.cloudinary.resource_tags_changed',
    ...Array.from({ length: 5 }, () => 'com.cloudinary.upload')
  ])
  for (const event of events) t.equal(new CloudEvent(event, true).id, event.id)
  const sent = await onBus()
  t.strictSame(sent.map(({ Detail }) => Detail.id).toSorted(), events.map(({ id }) => id).toSorted())
  const notes = lines.filter(({ msg }) => msg === 'event processed').map(({ note }) => String(note))
  t.ok(notes.some((note) => note.startsWith(`stored in s3://${sqs.bucket}/events/dt=`)))
  t.ok(notes.some((note) => note.startsWith('sent to event bus cloudinary-events: com.cloudinary.upload')))
  t.equal(cloudinary.calls.length, 0)
})

t.test('duplicate notifications add nothing', async (t) => {
  const before = [(await archived()).length, (await onBus()).length]
  for (const { url, body, headers } of [...cloudinary.deliveries])
    t.equal((await fetch(url, { method: 'POST', body, headers })).status, 200)
  await atRest()
  t.strictSame([(await archived()).length, (await onBus()).length], before)
})

t.test('a time-out, a rate limit, a failure and wrong credentials delay an event', async (t) => {
  // the SDK's own retries follow at once
  t.intercept(Math, 'random', { value: () => 0 })
  const errorOf = (status: number, code: string): [ProxyFault, ProxyFault] => [
    { kind: 'error', status, body: `<Error><Code>${code}</Code><Message>no</Message></Error>` },
    { kind: 'error', status, body: JSON.stringify({ __type: code, message: 'no' }) }
  ]
  const faults: Record<string, { faults: [ProxyFault, ProxyFault]; code: string; message: RegExp }> = {
    hanging: {
      faults: [{ kind: 'hang' }, { kind: 'hang' }],
      code: 'UNAVAILABLE',
      message: /^(?:S3|EventBridge): TimeoutError: /
    },
    limited: { faults: errorOf(429, 'TooManyRequests'), code: 'UNAVAILABLE', message: /: TooManyRequests: / },
    failing: { faults: errorOf(503, 'InternalFailure'), code: 'UNAVAILABLE', message: /: InternalFailure: / },
    denied: { faults: errorOf(403, 'AccessDenied'), code: 'UNAUTHORIZED', message: /; allow \w+:Put/ }
  }
  for (const [publicId, { faults: each, code, message }] of Object.entries(faults)) {
    const failure = (processor: string) =>
      logged(
        (line) =>
          line.msg === 'event failed; will be retried' &&
          line.asset === publicId &&
          line.processor === processor
      )
    for (const [index, fault] of each.entries()) await proxies[index]!.set(fault)
    cloudinary.as().upload({ publicId })
    const [toS3, toBus] = await Promise.all([failure('archive'), failure('event-bridge')])
    for (const proxy of proxies) await proxy.set({ kind: 'pass' })
    t.match(toS3.err, { code: `ARCHIVE_${code}`, message })
    t.match(toBus.err, { code: `EVENT_BRIDGE_${code}`, message })
    await atRest()
    const isOfIt = ({ data }: { data: unknown }) => (data as { public_id?: string }).public_id === publicId
    t.equal((await archived()).filter(isOfIt).length, 1)
    t.equal((await onBus()).filter(({ Detail }) => isOfIt(Detail)).length, 1)
  }
})

t.test('a bucket that does not exist dead-letters its event alone', async (t) => {
  cloudinary.ui().destroy('bag-1')
  await atRest()
  t.ok((await archived()).some(({ type }) => type === 'com.cloudinary.delete'))
  t.match(sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready, [
    {
      messageAttributes: {
        code: { StringValue: 'ARCHIVE_REJECTED' },
        processor: { StringValue: 'nowhere' }
      }
    }
  ])
})
