import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { BENCH_ASSET_ID } from './bench-asset.ts'

/**
 * SQS, DynamoDB and Cloudinary on one port, for benchmarks. Each answers at once with the minimum that the
 * listener needs, so that a benchmark measures the role only. Stores only the messages of one queue, each in
 * its own group. Runs as a child process that its parent controls.
 */

export interface QueuedMessage {
  group: string
  body: string
}

export type Instruction =
  | { kind: 'put'; messages: QueuedMessage[] }
  /** Sets the duration of a Cloudinary call, in milliseconds. */
  | { kind: 'latency'; milliseconds: number }

export type Report =
  | { kind: 'listening'; url: string }
  /** All messages are deleted. */
  | { kind: 'empty' }

interface Stored extends QueuedMessage {
  md5: string
}

const RECEIVE_BATCH = 10

/** Answer of each Upload API call: an asset without stamp and tag. */
const ASSET = JSON.stringify({
  asset_id: BENCH_ASSET_ID,
  public_id: 'bench/asset',
  public_ids: ['bench/asset'],
  resource_type: 'image',
  type: 'upload',
  version: 1_780_315_200,
  tags: [],
  metadata: {}
})

const md5 = (text: string) => createHash('md5').update(text).digest('hex')
const report = (what: Report) => process.send?.(what)

const waiting: Stored[] = []
let next = 0
let deleted = 0
let latency = 0
let wake = Promise.withResolvers<void>()

process.on('message', (instruction: Instruction) => {
  switch (instruction.kind) {
    case 'put':
      for (const message of instruction.messages) waiting.push({ ...message, md5: md5(message.body) })
      wake.resolve()
      wake = Promise.withResolvers()
      return
    case 'latency':
      latency = instruction.milliseconds
  }
})

interface Input {
  Entries?: { Id: string; MessageBody?: string }[]
  MaxNumberOfMessages?: number
  WaitTimeSeconds?: number
}

const OPERATIONS: Record<string, (input: Input) => object | Promise<object>> = {
  async ReceiveMessage({ MaxNumberOfMessages = 1, WaitTimeSeconds = 0 }) {
    if (next === waiting.length) await Promise.race([wake.promise, pause(WaitTimeSeconds * 1000)])
    const received = waiting.slice(next, next + Math.min(MaxNumberOfMessages, RECEIVE_BATCH))
    next += received.length
    return {
      Messages: received.map(({ group, body, md5: MD5OfBody }, index) => ({
        MessageId: `message-${next - received.length + index}`,
        ReceiptHandle: `receipt-${next - received.length + index}`,
        Body: body,
        MD5OfBody,
        Attributes: { MessageGroupId: group, ApproximateReceiveCount: '1' }
      }))
    }
  },
  DeleteMessageBatch({ Entries = [] }) {
    deleted += Entries.length
    if (deleted === waiting.length) report({ kind: 'empty' })
    return { Successful: Entries.map(({ Id }) => ({ Id })), Failed: [] }
  },
  ChangeMessageVisibilityBatch: ({ Entries = [] }) => ({
    Successful: Entries.map(({ Id }) => ({ Id })),
    Failed: []
  }),
  SendMessageBatch: ({ Entries = [] }) => ({
    Successful: Entries.map(({ Id, MessageBody = '' }) => ({
      Id,
      MessageId: Id,
      MD5OfMessageBody: md5(MessageBody)
    })),
    Failed: []
  }),
  GetQueueAttributes: () => ({ Attributes: { QueueArn: 'arn:aws:sqs:us-east-1:000000000000:bench.fifo' } }),
  UpdateItem: () => ({}),
  GetItem: () => ({}),
  PutItem: () => ({})
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const server = createServer(async (request, response) => {
  const body = await bodyOf(request)
  const target = request.headers['x-amz-target']
  if (target === undefined) {
    if (latency > 0) await pause(latency)
    response.writeHead(200, { 'content-type': 'application/json' }).end(ASSET)
    return
  }
  const operation = OPERATIONS[String(target).split('.')[1] ?? '']
  if (!operation) {
    response.writeHead(400).end(JSON.stringify({ __type: 'UnknownOperationException' }))
    return
  }
  const answer = JSON.stringify(await operation(JSON.parse(body)))
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(answer)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1')
await once(server, 'listening')
report({ kind: 'listening', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
process.once('disconnect', () => process.exit())
