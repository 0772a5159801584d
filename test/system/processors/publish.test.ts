import { ScanCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { publish } from '../../../app/processors/publish/publish.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import { buildListener } from '../../support/listener.ts'
import { buildReceiver } from '../../support/receiver.ts'

const SECRET = 'secret-of-the-site'
const headers = { 'content-type': 'text/xml' }
const created = { status: 201, headers, body: '<Invalidation><Id>I1</Id></Invalidation>' }
const denied = '<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>'

// each event fails once, since the delay grows with the failures of an event
const site = await buildReceiver(t, 200, 503, 200, 'hang', 200, 429, 200)
const locked = await buildReceiver(t, { status: 401, body: `wrong: ${SECRET}` })
const aws = await buildReceiver(
  t,
  created,
  created,
  created,
  created,
  { status: 403, headers, body: denied },
  created
)

const processors = [
  publish({
    hook: site.url,
    cdn: { distributionId: 'E123ABC' },
    paths: ({ asset }) => [`/assets/${asset?.publicId}`],
    timeoutSeconds: 0.3,
    windowSeconds: 0.001
  }),
  publish({ name: 'locked', hook: { url: locked.url, method: 'GET', secretIn: 'query' }, on: ['delete'] })
]
const { cloudinary, sqs, environment, atRest, lines } = await buildListener(t, processors, {
  environment: { PUBLISH_SECRET: SECRET, AWS_ENDPOINT_URL_CLOUDFRONT: aws.url }
})
const bodies = () => site.requests.map(({ body }) => JSON.parse(body))
const outcomes = (msg: string) => lines.filter((line) => line.msg === msg)

t.test('refreshes site and CDN, without a call to Cloudinary', async (t) => {
  cloudinary.as().upload({ publicId: 'bag' })
  await atRest()
  t.strictSame(bodies(), [{ tags: ['cloudinary', 'cloudinary:bag'], paths: ['/assets/bag'] }])
  t.match(aws.requests, [{ body: /<Path>\/assets\/bag<\/Path>/ }])
  const note = 'revalidated 2 tags and 1 paths, invalidated 1 paths'
  t.match(outcomes('event processed'), [{ note }])
  t.equal(cloudinary.calls.length, 0)
})

t.test('a duplicate notification refreshes nothing', async (t) => {
  for (const { url, body, headers } of [...cloudinary.deliveries]) {
    t.equal((await fetch(url, { method: 'POST', body, headers })).status, 200)
  }
  await atRest()
  t.equal(site.requests.length, 1)
})

t.test('retries after 503, a time-out, a rate limit, and a missing permission', async (t) => {
  for (const tag of ['a', 'b', 'c', 'd']) {
    cloudinary.ui().addTags('bag', [tag])
    await atRest()
  }
  t.match(
    outcomes('event failed; will be retried').map(({ err }) => err),
    [
      { code: 'PUBLISH_UNAVAILABLE', message: /answered 503$/ },
      { code: 'PUBLISH_UNAVAILABLE', message: /no response within 0\.3 s$/ },
      { code: 'PUBLISH_UNAVAILABLE', message: /answered 429$/ },
      { code: 'PUBLISH_UNAUTHORIZED', message: /^CloudFront: AccessDenied/ }
    ]
  )
  t.equal(site.requests.length, 9)
  const references = aws.requests.map(({ body }) => /<CallerReference>(\w+)/.exec(body)?.[1])
  t.equal(references[5], references[4], 'a repeated invalidation has the same reference')
})

t.test('dead-letters wrong credentials', async (t) => {
  cloudinary.ui().destroy('bag')
  await atRest()
  t.match(sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready, [
    {
      messageAttributes: {
        code: { StringValue: 'PUBLISH_REJECTED' },
        message: { StringValue: /answered 401: wrong: \[secret\] \(check .* PUBLISH_SECRET\)$/ },
        processor: { StringValue: 'locked' }
      }
    }
  ])
})

t.test('the log, journal and dead letters do not contain the secret', async (t) => {
  const client = createDynamoDbClient(1)
  t.teardown(() => client.destroy())
  const { Items } = await client.send(new ScanCommand({ TableName: environment.JOURNAL_TABLE }))
  const letters = sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready
  for (const [name, written] of Object.entries({ log: lines, journal: Items, letters }))
    t.notOk(JSON.stringify(written).includes(SECRET), name)
})
