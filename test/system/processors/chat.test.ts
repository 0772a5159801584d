import { ScanCommand } from '@aws-sdk/lib-dynamodb'
import t from 'tap'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { PermanentError } from '../../../app/listener.ts'
import { chat } from '../../../app/processors/chat/chat.ts'
import { shownBySlack, slackProblem, teamsProblem } from '../../../dev/chat/chat-payloads.ts'
import { DEAD_LETTER_QUEUE_NAME } from '../../../dev/embedded-sqs.ts'
import { buildListener } from '../../support/listener.ts'
import { buildReceiver } from '../../support/receiver.ts'

const CAPABILITY = 'T00000000-B00000000-XXXXXXXX'

const slack = await buildReceiver(
  t,
  { status: 200, body: 'ok' },
  // each event fails once, since the delay grows with the failures of an event
  503,
  { status: 200, body: 'ok' },
  'hang',
  { status: 200, body: 'ok' },
  // with `Retry-After`, the event would wait up to 30 s longer
  429,
  { status: 200, body: 'ok' }
)
const teams = await buildReceiver(t, { status: 401, body: `bad signature ${CAPABILITY}` }, 202)
const hosts = [slack, teams].map(({ url }) => new URL(url).host)

const tools = { windowMs: 1 }
const processors = [
  chat({ service: 'slack', timeoutSeconds: 0.2, when: ({ asset }) => asset?.publicId !== 'quiet' }, tools),
  chat({ service: 'teams', name: 'team', variable: 'TEAM_URL', on: ['rename'] }, tools),
  chat({ service: 'slack', name: 'alerts', variable: 'ALERTS_URL', on: [], deadLetters: true }, tools),
  {
    name: 'breaks',
    on: ['delete'] as const,
    handle() {
      throw new PermanentError('no hook at https://hooks.example/CAPABILITY', { code: 'NO_HOOK' })
    }
  }
]
const { cloudinary, sqs, environment, atRest, lines, stopWorker } = await buildListener(
  t,
  ({ environment: { CHAT_WEBHOOK_URL } }) => {
    process.env.ALERTS_URL = CHAT_WEBHOOK_URL
    return processors
  },
  {
    environment: {
      CHAT_WEBHOOK_URL: `${slack.url}/${CAPABILITY}`,
      TEAM_URL: `${teams.url}/${CAPABILITY}?sig=${CAPABILITY}`
    }
  }
)

const notes = (processor: string) =>
  lines
    .filter((line) => line.msg === 'event processed' && line.processor === processor)
    .map(({ note }) => note)
const failures = (msg: string) => lines.filter((line) => line.msg === msg).map(({ err }) => err)
const slackItems = () => slack.requests.flatMap(({ body }) => shownBySlack(JSON.parse(body)))

t.test('posts an upload with its thumbnail, without a call to Cloudinary', async (t) => {
  cloudinary.as().upload({ publicId: 'shop/bag', tags: ['bags'] })
  await atRest()
  t.equal(slackProblem(JSON.parse(slack.requests[0]!.body)), undefined)
  const [item] = slackItems()
  t.match(item, { lines: ['bag was uploaded'], details: /^demo · upload · image/ })
  const picture = await fetch(String(item?.thumbnail))
  t.match([picture.status, picture.headers.get('content-type')], [200, 'image/png'])
  t.strictSame(notes('chat'), ['sent to Slack'])
  t.equal(cloudinary.calls.length, 0)
})

t.test('signs the thumbnail of an asset that is not public', async (t) => {
  cloudinary.as().upload({ publicId: 'secret', type: 'authenticated' })
  await atRest()
  t.match(slackItems().at(-1)?.thumbnail, /\/demo\/image\/authenticated\/s--[\w-]{8}--\/c_fill/)
})

t.test('retries after 503, a time-out and a rate limit', async (t) => {
  for (const publicId of ['hat', 'shoe']) {
    cloudinary.as().upload({ publicId })
    await atRest()
  }
  t.equal(slack.requests.length, 7)
  t.match(failures('event failed; will be retried'), [
    { code: 'CHAT_UNAVAILABLE', message: 'Slack answered 503' },
    { code: 'CHAT_UNAVAILABLE', message: /no response within 0\.2 s$/ },
    { code: 'CHAT_UNAVAILABLE', message: 'Slack answered 429' }
  ])
})

t.test('a duplicate notification is posted once, and an event that `when` excludes never', async (t) => {
  for (const { url, body, headers } of [...cloudinary.deliveries]) {
    t.equal((await fetch(url, { method: 'POST', body, headers })).status, 200)
  }
  cloudinary.as().upload({ publicId: 'quiet' })
  await atRest()
  t.equal(slack.requests.length, 7)
})

t.test('dead-letters a message for wrong credentials', async (t) => {
  cloudinary.ui().rename('shop/bag', 'shop/sack')
  await atRest()
  cloudinary.ui().rename('shop/sack', 'shop/bag')
  await atRest()
  t.match(sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready, [
    {
      messageAttributes: {
        code: { StringValue: 'CHAT_REJECTED' },
        message: { StringValue: /^Teams answered 401: bad signature \[secret\] \(check that TEAM_URL/ },
        processor: { StringValue: 'team' }
      }
    }
  ])
  t.equal(teamsProblem(JSON.parse(teams.requests[1]!.body)), undefined)
  t.strictSame(notes('team'), ['sent to Teams'])
})

t.test('reports dead letters with one message a minute', async (t) => {
  for (const publicId of ['shop/bag', 'quiet']) cloudinary.ui().destroy(publicId)
  await atRest()
  await stopWorker()
  const answer = await fetch(`${environment.CHAT_WEBHOOK_URL}/messages`)
  const messages = (await answer.json()) as { items: { lines: string[] }[] }[]
  t.match(
    messages.map(({ items }) => items[0]?.lines),
    [
      ['1 event was dead-lettered', /^• rename of shop\/sack: team: CHAT_REJECTED: /],
      ['2 events were dead-lettered', /: breaks: NO_HOOK: no hook at https:\/\/hooks\.example\/…$/, /NO_HOOK/]
    ]
  )
})

t.test('the log, journal and dead letters contain no part of the URL', async (t) => {
  const client = createDynamoDbClient(1)
  t.teardown(() => client.destroy())
  const { Items } = await client.send(new ScanCommand({ TableName: environment.JOURNAL_TABLE }))
  const letters = sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready
  for (const [name, written] of Object.entries({ log: lines, journal: Items, letters })) {
    for (const part of [CAPABILITY, ...hosts])
      t.notOk(JSON.stringify(written).includes(part), `${part} in ${name}`)
  }
})
