import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import { inspectConfig, readConfig } from '../../../app/config.ts'
import { createDynamoDbClient } from '../../../app/journal/dynamodb.ts'
import { Journal } from '../../../app/journal/journal.ts'
import { NO_METRICS } from '../../../app/metrics/metrics.ts'
import { activity, activityRole } from '../../../app/roles/activity.ts'
import { startDynamoDb } from '../../../dev/embedded-dynamodb.ts'
import { basic, bearer, memoryLog, PASSWORD, TOKEN } from '../../support/activity.ts'
import { withEnvironment } from '../../support/commands.ts'
import { sampleEvent } from '../../support/events.ts'
import { beginAttempt, PATIENT } from '../../support/journal.ts'
import { buildQueues } from '../../support/operator.ts'

const REQUIRED = {
  QUEUE_URL: 'http://127.0.0.1:1/0/events.fifo',
  DEAD_LETTER_QUEUE_URL: 'http://127.0.0.1:1/0/dead-letters.fifo',
  JOURNAL_TABLE: 'journal',
  ACTIVITY_PASSWORD: PASSWORD
}

function withRegion(t: Test): void {
  const before = process.env.AWS_REGION
  process.env.AWS_REGION = 'eu-west-1'
  t.teardown(() => {
    if (before === undefined) delete process.env.AWS_REGION
    else process.env.AWS_REGION = before
  })
}

const start = (role: typeof activity, environment: Record<string, string> = {}) => {
  const { log, lines } = memoryLog()
  const config = readConfig(role.requires, { ...REQUIRED, PORT: '0', HOST: '127.0.0.1', ...environment })
  const started = role.start({
    config: config as never,
    listener: { processors: [] },
    log,
    metrics: NO_METRICS,
    activity: undefined
  })
  return { started, lines }
}

t.test('does not start without a password, a journal and a queue', async (t) => {
  const { problems } = inspectConfig(activity.requires, {})
  t.strictSame(
    problems.map(({ name }) => name),
    Object.keys(REQUIRED)
  )
})

t.test('serves the feed to the password and to the tokens, until it is stopped', async (t) => {
  withRegion(t)
  const role = activityRole(() => new MemoryActivityStore())
  const { started, lines } = start(role, {
    ACTIVITY_READ_TOKENS: TOKEN,
    ACTIVITY_ALLOWED_ORIGINS: 'https://a.example'
  })
  const stop = await started
  const { url, page } = lines.find(({ msg }) => msg === 'activity is ready') as { url: string; page: string }
  t.equal(page, `${url}/activity`)
  const status = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${url}${path}`, { headers: { connection: 'close', ...headers } })
    await answer.body?.cancel()
    return answer.status
  }
  t.equal(await status('/ready'), 200)
  t.equal(await status('/api/activity/events'), 401)
  t.equal(await status('/api/activity/events', basic()), 200)
  t.equal(await status('/api/activity/events', bearer()), 200)
  await stop()
  await t.rejects(status('/ready'))
})

t.test('without tokens no token is right', async (t) => {
  withRegion(t)
  const { started, lines } = start(activityRole(() => new MemoryActivityStore()))
  const stop = await started
  const { url } = lines.find(({ msg }) => msg === 'activity is ready') as { url: string }
  const answer = await fetch(`${url}/api/activity/events`, { headers: { connection: 'close', ...bearer() } })
  await answer.body?.cancel()
  t.equal(answer.status, 401)
  await stop()
})

t.test('reads the table of the journal', async (t) => {
  withRegion(t)
  const dynamoDb = await startDynamoDb()
  t.teardown(() => dynamoDb.stop())
  await withEnvironment(dynamoDb.environment, async () => {
    const client = createDynamoDbClient()
    const journal = new Journal({ client, tableName: dynamoDb.tableName })
    const event = { ...sampleEvent('upload'), receivedAt: new Date().toISOString() }
    await journal.ignore(event, 'no processor handles upload', PATIENT)
    client.destroy()
    const { started, lines } = start(activity, { JOURNAL_TABLE: dynamoDb.tableName })
    const stop = await started
    const { url } = lines.find(({ msg }) => msg === 'activity is ready') as { url: string }
    const response = await fetch(`${url}/api/activity/events`, {
      headers: { connection: 'close', ...basic() }
    })
    t.match(await response.json(), { events: [{ id: event.id, status: 'ignored' }] })
    await stop()
  })
})

t.test('discards a dead event, and deletes its dead letter', async (t) => {
  const { queue, deadLetter, deadLetterCounts } = await buildQueues(t)
  const dynamoDb = await startDynamoDb()
  t.teardown(() => dynamoDb.stop())
  const environment = {
    ...dynamoDb.environment,
    ...{ AWS_ENDPOINT_URL_SQS: queue.url, AWS_REGION: 'us-east-1' },
    ...{ AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' }
  }
  await withEnvironment(environment, async () => {
    const client = createDynamoDbClient()
    const journal = new Journal({ client, tableName: dynamoDb.tableName })
    const event = { ...sampleEvent('upload'), receivedAt: new Date().toISOString() }
    await journal.record(await beginAttempt(journal, event), {}, { status: 'dead' }, PATIENT)
    await deadLetter(event)
    client.destroy()
    const { started, lines } = start(activity, {
      JOURNAL_TABLE: dynamoDb.tableName,
      QUEUE_URL: queue.queueUrl,
      DEAD_LETTER_QUEUE_URL: queue.deadLetterQueueUrl
    })
    const stop = await started
    const { url } = lines.find(({ msg }) => msg === 'activity is ready') as { url: string }
    const headers = { connection: 'close', 'content-type': 'application/json', ...basic() }
    const body = JSON.stringify({ ids: [event.id], reason: 'gone' })
    const response = await fetch(`${url}/api/activity/discards`, { method: 'POST', headers, body })
    t.match(await response.json(), { total: 1 })
    while (!lines.some(({ msg }) => msg === 'discard ended')) await setTimeout(20)
    t.match(
      lines.find(({ msg }) => msg === 'discard ended'),
      { discarded: 1, deadLetters: 1 }
    )
    t.strictSame(deadLetterCounts(), { visible: 0, inFlight: 0 })
    await stop()
  })
})
