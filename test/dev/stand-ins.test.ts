import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient
} from '@aws-sdk/client-sqs'
import { Webhook } from 'standardwebhooks'
import { type Test, test } from 'tap'
import { credentialSource, readConfig } from '../../app/config.ts'
import { parseCloudinaryUrl } from '../../app/credentials/cloudinary-url.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { QUEUE_NAME } from '../../dev/embedded-sqs.ts'
import { TOPIC_NAME } from '../../dev/sns.ts'
import { type StandInsOptions, standInsOptions, startStandIns } from '../../dev/stand-ins.ts'
import { COVERED } from '../support/role.ts'
import { CHILD_ENVIRONMENT } from '../support/system.ts'

const script = fileURLToPath(import.meta.resolve('../../dev/stand-ins.ts'))

async function start(t: Test, options?: StandInsOptions) {
  const standIns = await startStandIns(options)
  t.teardown(() => standIns.stop())
  return standIns
}

/** Starts a listener that answers these statuses, and repeats the last one. */
async function listener(t: Test, ...statuses: number[]) {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead((statuses.length > 1 ? statuses.shift() : statuses[0]) as number).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/cloudinary`
}

/** Runs the file in its own process, on free ports. */
function run(t: Test, environment: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, [script], {
    env: {
      ...CHILD_ENVIRONMENT,
      ...COVERED,
      STAND_INS_SQS_PORT: '0',
      STAND_INS_DYNAMODB_PORT: '0',
      STAND_INS_CLOUDINARY_PORT: '0',
      ...environment
    },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const lines: Record<string, string>[] = []
  const reader = createInterface({ input: child.stdout! }).on('line', (text) => lines.push(JSON.parse(text)))
  const firstLine = once(reader, 'line').then(() => lines[0]!)
  return { child, ended, lines, firstLine }
}

test('creates the metadata fields of the default processors', async (t) => {
  const { cloudinary } = await start(t)
  t.match(cloudinary.cloud().metadataFields.list(), [
    { external_id: 'last_update_timestamp', type: 'string' },
    { external_id: 'cms_id', type: 'string' },
    { external_id: 'quarantined', type: 'string' }
  ])
})

test('a role needs only its environment', async (t) => {
  const { cloudinary, sqs, dynamoDb, environment } = await start(t)
  const config = readConfig(['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'JOURNAL_TABLE'], environment)
  t.equal(config.QUEUE_URL, sqs.queueUrl)
  t.equal(config.DEAD_LETTER_QUEUE_URL, sqs.deadLetterQueueUrl)
  t.equal(config.JOURNAL_TABLE, dynamoDb.tableName)
  t.strictSame(credentialSource(config), { url: cloudinary.cloudinaryUrl() })
  t.match(environment, {
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.url,
    AWS_REGION: String,
    AWS_ACCESS_KEY_ID: String,
    AWS_SECRET_ACCESS_KEY: String
  })
})

test('all addresses have the advertised host', async (t) => {
  const { cloudinary, environment } = await start(t, { host: '0.0.0.0', advertisedHost: 'stand-ins' })
  t.match(environment.QUEUE_URL, /^http:\/\/stand-ins:\d+\//)
  t.match(environment.AWS_ENDPOINT_URL_DYNAMODB, /^http:\/\/stand-ins:\d+$/)
  const { uploadPrefix, ...credentials } = parseCloudinaryUrl(environment.CLOUDINARY_URL as string)
  t.match(credentials, LOCAL_CLOUDINARY)
  t.equal(uploadPrefix, `http://stand-ins:${new URL(cloudinary.url).port}`)
})

test('notifies of an upload, and retries a failed delivery', async (t) => {
  const webhookUrl = await listener(t, 503, 200)
  const { cloudinary } = await start(t, { webhookUrl, retryScale: 0 })
  cloudinary.as().upload({ publicId: 'cat' })
  t.match(await cloudinary.delivered(), { notificationType: 'upload', attempt: 2, url: webhookUrl })
})

test('shows what processors send', async (t) => {
  const { cloudinary, sqs, environment } = await start(t)
  const { FORWARD_SECRET, NOTIFY_TOPIC_ARN } = readConfig(['FORWARD_SECRET', 'NOTIFY_TOPIC_ARN'], environment)
  t.equal(NOTIFY_TOPIC_ARN, sqs.topicArn)
  sqs.server.publish(TOPIC_NAME, 'hello')
  t.match(await (await fetch(`${cloudinary.url}/_standin/messages`)).json(), [{ text: 'hello' }])

  const received = `${cloudinary.url}/_standin/received`
  const now = new Date()
  const headers = {
    'webhook-id': 'a',
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': new Webhook(FORWARD_SECRET).sign('a', now, '{}')
  }
  t.equal((await fetch(received, { method: 'POST', headers, body: '{}' })).status, 204)
  t.match(await (await fetch(received)).json(), [{ id: 'a', verified: true }])
})

test('a stop closes all servers', async (t) => {
  const { cloudinary, sqs, dynamoDb, stop } = await startStandIns()
  t.ok(sqs.server.inspectQueue(QUEUE_NAME))
  await stop()
  for (const { url } of [cloudinary, sqs, dynamoDb]) await t.rejects(fetch(url))
})

test('as a process, reads its environment and stops on SIGTERM', async (t) => {
  const webhookUrl = await listener(t, 503, 200)
  const { child, ended, lines, firstLine } = run(t, {
    STAND_INS_HOST: '0.0.0.0',
    STAND_INS_ADVERTISED_HOST: 'localhost',
    STAND_INS_RETRY_SCALE: '0.000001',
    WEBHOOK_URL: webhookUrl
  })
  const ready = await firstLine
  t.match(ready, { role: 'stand-ins', msg: 'stand-ins ready', webhookUrl })
  for (const url of [ready.sqs, ready.dynamoDb]) t.match(url, /^http:\/\/localhost:\d+$/)
  await fetch(`${ready.cloudinary}/_standin/upload`, { method: 'POST' })
  await fetch(`${ready.cloudinary}/_standin/idle`)
  const deliveries = await (await fetch(`${ready.cloudinary}/_standin/deliveries`)).json()
  t.match(deliveries, [{ outcome: 'will_retry' }, { outcome: 'delivered', url: webhookUrl }])
  child.kill('SIGTERM')
  t.strictSame(await ended, [0, null])
  t.match(lines.at(-1), { msg: 'stopped' })
})

test('as a process, uses the ports 4566, 8000 and 4000 by default', async (t) => {
  t.match(standInsOptions({ STAND_INS_SQS_PORT: '', FORWARD_SECRET: '' }), {
    sqsPort: 4566,
    dynamoDbPort: 8000,
    cloudinaryPort: 4000,
    forwardSecret: undefined,
    retryScale: 1
  })
})

test('as a process, exits 1 if a port is taken', async (t) => {
  const { cloudinary } = await start(t)
  const { ended, lines } = run(t, { STAND_INS_CLOUDINARY_PORT: new URL(cloudinary.url).port })
  t.strictSame(await ended, [1, null])
  t.match(
    lines.find(({ level }) => level === 'fatal'),
    { err: { code: 'EADDRINUSE' } }
  )
})

test('is at rest when every notification is delivered and the queue is empty', async (t) => {
  const { cloudinary, sqs, atRest } = await start(t, { webhookUrl: await listener(t, 200) })
  const client = new SQSClient({
    endpoint: sqs.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' }
  })
  t.teardown(() => client.destroy())
  const queue = { QueueUrl: sqs.queueUrl }
  const once = { MessageGroupId: 'g', MessageDeduplicationId: 'd' }
  await client.send(new SendMessageCommand({ ...queue, ...once, MessageBody: '{}' }))
  cloudinary.as().upload({ publicId: 'bag' })
  let rests = false
  const rest = atRest().then(() => {
    rests = true
  })
  await cloudinary.delivered()
  const { Messages } = await client.send(new ReceiveMessageCommand(queue))
  t.notOk(rests, 'an event is in the queue')
  await client.send(new DeleteMessageCommand({ ...queue, ReceiptHandle: Messages?.[0]?.ReceiptHandle }))
  await rest
  t.ok(rests)
})

test('a stop ends the wait for rest', async (t) => {
  const { sqs, atRest, stop } = await startStandIns()
  const client = new SQSClient({
    endpoint: sqs.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' }
  })
  t.teardown(() => client.destroy())
  const once = { MessageGroupId: 'g', MessageDeduplicationId: 'd' }
  await client.send(new SendMessageCommand({ QueueUrl: sqs.queueUrl, ...once, MessageBody: '{}' }))
  const rest = atRest()
  await stop()
  await rest
})
