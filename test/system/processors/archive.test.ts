import { gunzipSync } from 'node:zlib'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { CloudEvent } from 'cloudevents'
import t from 'tap'
import { archive, eventBridge } from '../../../app/listener.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import { buildListener } from '../../support/listener.ts'

const { cloudinary, sqs, atRest, lines } = await buildListener(t, [
  eventBridge(),
  archive({ windowSeconds: 0.05 }),
  archive({ name: 'nowhere', bucket: 'no-such-bucket', on: ['delete'], windowSeconds: 0 })
])
const s3 = new S3Client({ forcePathStyle: true })
t.teardown(() => s3.destroy())

/** The lines of all objects. */
async function archived(): Promise<{ id: string; type: string }[]> {
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
    Detail: { id: string }
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
