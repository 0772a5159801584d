import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BENCH_ASSET_ID } from './bench-asset.ts'
import { BenchQueue } from './bench-queue.ts'
import type { Instruction, Report, Service } from './instructions.ts'

/**
 * SQS, DynamoDB and Cloudinary on one port, for benchmarks. Each answers at once, or after a set time, with
 * the minimum that the listener needs, so that a benchmark measures the role only. Stores nothing. Runs as a
 * child process that its parent controls.
 */

/** Response to each Upload API call: an asset without stamp and tag. */
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

const queues = new Map<string, BenchQueue>()
const delays: Record<Service, number> = { sqs: 0, cloudinary: 0 }
let journalCalls = 0
const report = (what: Report) => process.send?.(what)

/** Returns the queue with a name or URL. */
function queueOf(nameOrUrl: string): BenchQueue {
  const name = nameOrUrl.replace(/^.*\//, '').replace(/\.fifo$/, '')
  const queue = queues.get(name) ?? new BenchQueue()
  queues.set(name, queue)
  return queue
}

process.on('message', (instruction: Instruction) => {
  switch (instruction.kind) {
    case 'generate':
      return queueOf(instruction.queue).generate(instruction.messages)
    case 'delay':
      delays[instruction.service] = instruction.milliseconds
      return
    case 'count': {
      const { received, deleted, calls: sqsCalls } = queueOf(instruction.queue)
      report({ kind: 'counts', received, deleted, sqsCalls, journalCalls })
    }
  }
})

interface Input {
  QueueUrl?: string
  Entries?: { Id: string; MessageBody?: string }[]
  MessageBody?: string
  MaxNumberOfMessages?: number
  WaitTimeSeconds?: number
  Statements?: unknown[]
}

/** Returns the entries of a batch as successful. The SDK compares the MD5 of what it sent. */
const successful = ({ Entries = [] }: Input) =>
  JSON.stringify({
    Successful: Entries.map(({ Id, MessageBody }) => ({
      Id,
      ...(MessageBody && { MessageId: Id, MD5OfMessageBody: hash('md5', MessageBody) })
    })),
    Failed: []
  })

const SQS: Record<string, (input: Input, queue: BenchQueue) => string | Promise<string>> = {
  ReceiveMessage: ({ MaxNumberOfMessages = 1, WaitTimeSeconds = 0 }, queue) =>
    queue.receive(MaxNumberOfMessages, WaitTimeSeconds),
  DeleteMessage: (_input, queue) => {
    queue.deleted++
    return '{}'
  },
  DeleteMessageBatch: (input, queue) => {
    queue.deleted += input.Entries?.length ?? 0
    return successful(input)
  },
  ChangeMessageVisibilityBatch: successful,
  SendMessageBatch: successful,
  SendMessage: ({ MessageBody = '' }) =>
    JSON.stringify({ MessageId: 'message', MD5OfMessageBody: hash('md5', MessageBody) }),
  GetQueueAttributes: () =>
    JSON.stringify({
      Attributes: {
        QueueArn: 'arn:aws:sqs:us-east-1:000000000000:bench.fifo',
        ApproximateNumberOfMessages: '0',
        ApproximateNumberOfMessagesNotVisible: '0'
      }
    })
}

const JOURNAL: Record<string, (input: Input) => string> = {
  BatchExecuteStatement: ({ Statements = [] }) => JSON.stringify({ Responses: Statements.map(() => ({})) }),
  GetItem: () => '{}',
  PutItem: () => '{}',
  UpdateItem: () => '{}'
}

/** Answers a call. `target` is the header of AWS's JSON protocols; Cloudinary's calls have none. */
async function answer(target: string | undefined, body: string): Promise<[status: number, text: string]> {
  if (target === undefined) return [200, ASSET]
  const [service, operation = ''] = target.split('.')
  const input: Input = JSON.parse(body)
  let text: string | undefined
  if (service === 'AmazonSQS') {
    const queue = queueOf(input.QueueUrl ?? '')
    queue.calls++
    text = await SQS[operation]?.(input, queue)
  } else {
    journalCalls++
    text = JOURNAL[operation]?.(input)
  }
  return text === undefined ? [400, '{"__type":"UnknownOperationException"}'] : [200, text]
}

function delayOf(target: string | undefined): number {
  if (target === undefined) return delays.cloudinary
  return target.startsWith('AmazonSQS') ? delays.sqs : 0
}

const server = createServer((request, response) => {
  const target = request.headers['x-amz-target'] as string | undefined
  const chunks: Buffer[] = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', async () => {
    const [status, text] = await answer(target, Buffer.concat(chunks).toString())
    const send = () =>
      response
        .writeHead(status, {
          'content-type': 'application/x-amz-json-1.0',
          'content-length': Buffer.byteLength(text)
        })
        .end(text)
    const delayMs = delayOf(target)
    if (delayMs > 0) setTimeout(send, delayMs)
    else send()
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1')
await once(server, 'listening')
report({ kind: 'listening', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
process.once('disconnect', () => process.exit())
