import { ScanCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { forward } from '../../../app/listener.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/sqs.ts'
import { buildListener } from '../../support/listener.ts'
import { buildReceiver, FORWARD_SECRET } from '../../support/receiver.ts'

const CAPABILITY = 'T00000000-B00000000-XXXXXXXX'

const receiver = await buildReceiver(
  t,
  200,
  503,
  200,
  { status: 422, body: `no hook ${CAPABILITY} at /assets/${CAPABILITY}` },
  200
)
const { origin } = new URL(receiver.url)
const processor = forward({
  url: `${receiver.url}/${CAPABILITY}?key=of-the-query`,
  headers: { authorization: 'Bearer of-the-header' },
  fields: ['public_id', 'tags', 'context.custom.alt', 'original_filename']
})
const { cloudinary, sqs, environment, atRest, lines } = await buildListener(t, [processor], {
  environment: { FORWARD_SECRET }
})

const upload = (publicId: string) =>
  cloudinary.as().upload({
    publicId,
    tags: ['bags'],
    context: { alt: 'A brown bag' },
    originalFilename: 'IMG_1'
  })
const sent = (publicId: string) =>
  receiver.verified().filter(({ data }) => (data as { public_id: string }).public_id === publicId)
const ids = () => receiver.requests.map(({ headers }) => headers['webhook-id'])

t.test(
  'what came with an upload reaches the other system, signed, and costs no call of Cloudinary',
  async (t) => {
    upload('bag')
    await atRest()
    t.match(sent('bag'), [
      {
        type: 'upload',
        environment: 'demo',
        data: {
          public_id: 'bag',
          tags: ['bags'],
          context: { custom: { alt: 'A brown bag' } },
          original_filename: 'IMG_1'
        }
      }
    ])
    t.match(
      lines.filter(({ msg }) => msg === 'event processed'),
      [{ processor: 'forward', note: `sent to ${origin}, which answered 200` }]
    )
    t.equal(cloudinary.calls.length, 0)
  }
)

t.test('a notification that comes twice is sent once', async (t) => {
  const { url, body, headers } = cloudinary.deliveries[0]!
  t.equal((await fetch(url, { method: 'POST', body, headers })).status, 200)
  await atRest()
  t.equal(receiver.requests.length, 1)
})

t.test('while the other system is down, the same message is tried again', async (t) => {
  upload('patient')
  await atRest()
  t.equal(sent('patient').length, 2)
  t.equal(new Set(ids()).size, 2)
  t.match(
    lines.filter(({ msg }) => msg === 'event failed; will be retried'),
    [{ err: { code: 'FORWARD_UNAVAILABLE', message: /answered 503/ } }]
  )
})

t.test('what the other system refuses is a dead letter', async (t) => {
  upload('refused')
  await atRest()
  t.equal(sent('refused').length, 1)
  t.match(sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready, [
    {
      messageAttributes: {
        code: { StringValue: 'FORWARD_REJECTED' },
        message: { StringValue: `${origin} answered 422: no hook [secret] at [secret]` },
        processor: { StringValue: 'forward' }
      }
    }
  ])
})

t.test(
  'no key, and no part of the URL but its origin, is in the log, the journal or a dead letter',
  async (t) => {
    const log = JSON.stringify(lines)
    const client = createDynamoDbClient(1)
    t.teardown(() => client.destroy())
    const { Items } = await client.send(new ScanCommand({ TableName: environment.JOURNAL_TABLE }))
    const journal = JSON.stringify(Items)
    const letters = JSON.stringify(sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready)
    for (const [name, written] of Object.entries({ log, journal, letters })) {
      for (const key of ['of-the-query', 'of-the-header', 'v1,', CAPABILITY]) {
        t.notOk(written.includes(key), `${key} in ${name}`)
      }
      t.match(written, origin)
    }
  }
)
