import { execFile } from 'node:child_process'
import { Agent } from 'node:http'
import { networkInterfaces } from 'node:os'
import { promisify } from 'node:util'
import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  type SQSClientConfig
} from '@aws-sdk/client-sqs'
import { type Test, test } from 'tap'
import {
  DEAD_LETTER_QUEUE_NAME,
  type EmbeddedSqs,
  QUEUE_NAME,
  type SqsOptions,
  startSqs
} from '../../dev/embedded-sqs.ts'

async function start(t: Test, options?: SqsOptions) {
  const sqs = await startSqs(options)
  t.teardown(() => sqs.stop())
  return sqs
}

function connect(t: Test, { environment }: EmbeddedSqs, options: SQSClientConfig = {}) {
  const client = new SQSClient({
    region: environment.AWS_REGION as string,
    credentials: {
      accessKeyId: environment.AWS_ACCESS_KEY_ID as string,
      secretAccessKey: environment.AWS_SECRET_ACCESS_KEY as string
    },
    ...options
  })
  t.teardown(() => client.destroy())
  return client
}

const send = (client: SQSClient, QueueUrl: string, MessageBody: string) =>
  client.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody,
      MessageGroupId: 'g',
      MessageDeduplicationId: MessageBody
    })
  )

test('creates the queues of production', async (t) => {
  const sqs = await start(t)
  const client = connect(t, sqs, { endpoint: sqs.url })
  const attributes = async (QueueUrl: string) =>
    (await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).Attributes ?? {}
  const dead = await attributes(sqs.deadLetterQueueUrl)
  const { RedrivePolicy, ...live } = await attributes(sqs.queueUrl)
  t.match(live, { FifoQueue: 'true', VisibilityTimeout: '60', MessageRetentionPeriod: '1209600' })
  t.match(dead, { FifoQueue: 'true', MessageRetentionPeriod: '1209600', RedrivePolicy: undefined })
  t.strictSame(JSON.parse(RedrivePolicy as string), {
    deadLetterTargetArn: dead.QueueArn,
    maxReceiveCount: 1000
  })
})

test('another process needs only its environment and the queue URL', async (t) => {
  const sqs = await start(t)
  const script = `
    import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs'
    await new SQSClient().send(new SendMessageCommand({
      QueueUrl: process.argv[1], MessageBody: 'from afar', MessageGroupId: 'g', MessageDeduplicationId: '1'
    }))`
  const { stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', script, sqs.queueUrl],
    { env: { ...process.env, AWS_PROFILE: 'somebody', ...sqs.environment } }
  )
  t.equal(stderr, '', 'the SDK does not warn of different hosts of queue and endpoint')
  t.match(sqs.server.inspectQueue(QUEUE_NAME)?.messages.ready, [{ body: 'from afar' }])
})

test('is reachable by its advertised host, as from another container', async (t) => {
  const sqs = await start(t, { advertisedHost: 'standins' })
  t.match(sqs.queueUrl, /^http:\/\/standins:\d+\/000000000000\/cloudinary-events\.fifo$/)
  t.equal(sqs.environment.AWS_ENDPOINT_URL_SQS, sqs.url)
  const httpAgent = new Agent({
    lookup: (hostname, _options, found) => {
      t.equal(hostname, 'standins')
      found(null, [{ address: '127.0.0.1', family: 4 }])
    }
  })
  const client = connect(t, sqs, { endpoint: sqs.url, requestHandler: { httpAgent } })
  await send(client, sqs.deadLetterQueueUrl, 'dead')
  t.match(sqs.server.inspectQueue(DEAD_LETTER_QUEUE_NAME)?.messages.ready, [{ body: 'dead' }])
})

test('listens on the given port and ignores FAUXQS_* variables', async (t) => {
  const first = await startSqs()
  const { port } = first.server
  await first.stop()
  for (const name of ['FAUXQS_HOST', 'FAUXQS_DEFAULT_REGION']) {
    process.env[name] = 'elsewhere'
    t.teardown(() => delete process.env[name])
  }
  const sqs = await start(t, { port, host: '0.0.0.0' })
  t.equal(sqs.url, `http://127.0.0.1:${port}`)
  t.equal(
    sqs.server.inspectQueue(QUEUE_NAME)?.arn,
    'arn:aws:sqs:us-east-1:000000000000:cloudinary-events.fifo'
  )
  await send(connect(t, sqs, { endpoint: sqs.url }), sqs.queueUrl, 'here')
  t.equal(sqs.server.inspectQueue(QUEUE_NAME)?.messages.ready.length, 1)
})

test('listens only on the loopback interface by default', async (t) => {
  const local = await start(t)
  const open = await start(t, { host: '0.0.0.0' })
  t.equal(new URL(local.server.address).hostname, '127.0.0.1')
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
  for (const { address } of others) {
    const connect = ({ server }: EmbeddedSqs) => fetch(`http://${address}:${server.port}/`)
    await t.rejects(connect(local), { cause: { code: 'ECONNREFUSED' } })
    await t.resolves(connect(open))
  }
})

test('a stop does not wait for long polling', async (t) => {
  const sqs = await startSqs()
  const client = connect(t, sqs, { endpoint: sqs.url, maxAttempts: 1 })
  const receive = client.send(new ReceiveMessageCommand({ QueueUrl: sqs.queueUrl, WaitTimeSeconds: 20 }))
  const ended = receive.then(
    () => 'answered',
    () => 'cut off'
  )
  await send(client, sqs.deadLetterQueueUrl, 'sent after, so the receive has come in')
  await sqs.stop()
  t.match(await ended, /answered|cut off/)
})
