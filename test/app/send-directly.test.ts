import { createHash, createHmac } from 'node:crypto'
import { once } from 'node:events'
import { type Agent, createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { DeleteMessageBatchCommand, SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { type Test, test } from 'tap'
import { sendDirectly } from '../../app/send-directly.ts'

interface Received {
  headers: IncomingHttpHeaders
  body: string
}

const SECRET = 'secret-key'
const REGION = 'eu-west-1'
const ENTRIES = [
  { Id: '0', MessageBody: '{"name":"Grüße 😀"}', MessageGroupId: 'g', MessageDeduplicationId: 'd' }
]

/** The SDK's user agent; the direct request has none. */
const isFromSdk = ({ headers }: Received) => headers['user-agent'] !== undefined

const ok = (response: ServerResponse) =>
  void response.end(JSON.stringify({ Successful: [{ Id: '0', MessageId: 'm' }], Failed: [] }))

async function build(t: Test, path = '') {
  const received: Received[] = []
  const answers: ((response: ServerResponse) => void)[] = []
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await text(request) })
    const answer = answers.shift() ?? ok
    answer(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = new SQSClient({
    endpoint: `${url}${path}`,
    requestHandler: { requestTimeout: 1000, connectionTimeout: 1000, throwOnRequestTimeout: true },
    region: REGION,
    credentials: { accessKeyId: 'AKIA', secretAccessKey: SECRET, sessionToken: 'session' },
    md5: false,
    maxAttempts: 1
  })
  const direct = sendDirectly({
    client,
    target: 'AmazonSQS',
    operationOf: (command) =>
      command.constructor === SendMessageBatchCommand ? 'SendMessageBatch' : undefined,
    send: client.send.bind(client) as never,
    finalError: ({ name, message }) => (name === 'FinalError' ? new Error(message) : undefined),
    encode: JSON.stringify
  })
  t.teardown(async () => {
    client.destroy()
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })
  const send = (abortSignal?: AbortSignal) =>
    direct(new SendMessageBatchCommand({ QueueUrl: `${url}/0/q`, Entries: ENTRIES }), {
      ...(abortSignal && { abortSignal })
    })
  return { client, direct, send, received, answers, url }
}

/** Computes the signature of a received request as AWS does. */
function expectedSignature({ headers, body }: Received): string {
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest()
  const sha256 = (data: string) => createHash('sha256').update(data).digest('hex')
  const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1] ?? ''
  const date = String(headers['x-amz-date'])
  const scope = `${date.slice(0, 8)}/${REGION}/sqs/aws4_request`
  const canonicalHeaders = names.split(';').map((name) => `${name}:${headers[name]}\n`)
  const canonical = `POST\n/\n\n${canonicalHeaders.join('')}\n${names}\n${sha256(body)}`
  const key = [REGION, 'sqs', 'aws4_request'].reduce<Buffer>(hmac, hmac(`AWS4${SECRET}`, date.slice(0, 8)))
  return createHmac('sha256', key)
    .update(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`)
    .digest('hex')
}

const signatureOf = ({ headers }: Received) => /Signature=([0-9a-f]+)/.exec(headers.authorization ?? '')?.[1]

test('makes the same request as the SDK, signed, after the SDK has made the first one', async (t) => {
  const { send, received } = await build(t)
  const [first, second] = [await send(), await send()] as { Successful: unknown }[]
  t.strictSame(received.map(isFromSdk), [true, false])
  t.strictSame(second?.Successful, first?.Successful)
  const [sdk, direct] = received as [Received, Received]
  t.strictSame(JSON.parse(direct.body), JSON.parse(sdk.body))
  for (const name of ['host', 'content-type', 'content-length', 'x-amz-target', 'x-amz-security-token']) {
    t.equal(direct.headers[name], sdk.headers[name], name)
  }
  for (const request of received) t.equal(signatureOf(request), expectedSignature(request))
  t.match(direct.headers.authorization, /SignedHeaders=[^,]*host[^,]*x-amz-date[^,]*x-amz-security-token/)
})

test('leaves other commands to the SDK', async (t) => {
  const { direct, send, received, url } = await build(t)
  await send()
  await direct(
    new DeleteMessageBatchCommand({ QueueUrl: `${url}/0/q`, Entries: [{ Id: '0', ReceiptHandle: 'r' }] })
  )
  t.strictSame(received.map(isFromSdk), [true, true])
})

const FAILURES: Record<string, (response: ServerResponse) => void> = {
  'a refusal': (response) => void response.writeHead(400).end('{"__type":"com.amazonaws.sqs#AnError"}'),
  'an internal error': (response) =>
    void response.writeHead(500).end('{"__type":"com.amazonaws.sqs#InternalError"}'),
  'a throttled call': (response) => void response.writeHead(400).end('{"__type":"RequestThrottled"}'),
  'an error of a proxy': (response) => void response.writeHead(502).end('{}'),
  'no answer': () => {},
  'a lost connection': (response) => void response.destroy(),
  'a response that is not JSON': (response) => void response.end('<html>')
}

test('sends a command again with the SDK after any failure', async (t) => {
  for (const [name, fail] of Object.entries(FAILURES)) {
    const { send, received, answers } = await build(t)
    await send()
    answers.push(fail)
    t.match(await send(), { Successful: [{ Id: '0' }] }, name)
    t.strictSame(received.map(isFromSdk), [true, false, true], name)
    await send()
    t.equal(isFromSdk(received.at(-1)!), false, `${name}: direct again`)
  }
})

test("throws the SDK's error, and uses the SDK until it succeeds", async (t) => {
  const { send, received, answers } = await build(t)
  await send()
  answers.push(FAILURES['a lost connection']!, FAILURES['an internal error']!, FAILURES['an internal error']!)
  await t.rejects(send(), { name: 'InternalError' })
  await t.rejects(send(), { name: 'InternalError' })
  await send()
  await send()
  t.strictSame(received.map(isFromSdk), [true, false, true, true, true, false])
})

test('throws a final error at once, as the SDK would', async (t) => {
  const { send, received, answers } = await build(t)
  await send()
  answers.push((response) =>
    response.writeHead(400).end('{"__type":"com.amazonaws.sqs#FinalError","message":"no"}')
  )
  await t.rejects(send(), { message: 'no' })
  await send()
  t.strictSame(received.map(isFromSdk), [true, false, false])
})

test('gives up a connection that cannot be made', async (t) => {
  const { client, send, received } = await build(t)
  await send()
  const { httpAgent } = (
    client.config.requestHandler as unknown as { httpHandlerConfigs: () => { httpAgent: Agent } }
  ).httpHandlerConfigs()
  for (const sockets of Object.values(httpAgent.freeSockets)) for (const socket of sockets!) socket.destroy()
  const connect = httpAgent.createConnection
  httpAgent.createConnection = () => {
    httpAgent.createConnection = connect
    return Object.assign(new Socket(), { connecting: true })
  }
  t.match(await send(), { Successful: [{ Id: '0' }] })
  t.strictSame(received.map(isFromSdk), [true, true])
})

test('leaves requests without a signature of version 4 to the SDK', async (t) => {
  const { client, send, received } = await build(t)
  const removeSignature =
    (next: (args: { request: Received }) => unknown) => (args: { request: Received }) => {
      delete args.request.headers.authorization
      return next(args)
    }
  client.middlewareStack.add(removeSignature as never, { step: 'finalizeRequest', priority: 'low' })
  await send()
  await send()
  t.strictSame(received.map(isFromSdk), [true, true])
})

test('leaves an endpoint with a path to the SDK', async (t) => {
  const { send, received } = await build(t, '/base')
  await send()
  await send()
  t.strictSame(received.map(isFromSdk), [true, true])
})

test('does not send an aborted command again', async (t) => {
  const { send, received, answers } = await build(t)
  await send()
  const abort = new AbortController()
  answers.push(() => abort.abort())
  await t.rejects(send(abort.signal), { name: 'AbortError' })
  t.equal(received.length, 2)
})

test('signs with the time of AWS', async (t) => {
  const { client, send, received } = await build(t)
  await send()
  client.config.systemClockOffset = 3_600_000
  await send()
  const hours = received.map(({ headers }) => String(headers['x-amz-date']).slice(9, 11)).map(Number)
  t.equal((hours[0]! + 1) % 24, hours[1])
})
