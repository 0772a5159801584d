import { SQSClient } from '@aws-sdk/client-sqs'
import type { Test } from 'tap'
import type { AssetEvent } from '../../app/ingest/event.ts'
import { createLogger } from '../../app/logger.ts'
import { DeadLetterReader, type DeadLetterReaderOptions } from '../../app/queue/dead-letter-reader.ts'
import { type DeadLetterReason, DeadLetterSender } from '../../app/queue/dead-letter-sender.ts'
import { EventSender } from '../../app/queue/event-sender.ts'
import { encodeMessage } from '../../app/queue/message-codec.ts'
import { DEAD_LETTER_QUEUE_NAME, QUEUE_NAME, startSqs } from '../../dev/embedded-sqs.ts'

export const QUIET = createLogger({ level: 'silent', role: 'test' })

/** Collects the output of a command. */
export function collect(): { lines: string[]; print: (line: string) => void } {
  const lines: string[] = []
  return { lines, print: (line) => void lines.push(line) }
}

/** An event of its own asset. */
export const eventOf = (id: string, about: Partial<AssetEvent> = {}): AssetEvent => ({
  id,
  type: 'upload',
  notificationType: 'upload',
  environment: 'demo',
  asset: { publicId: `asset-of-${id}`, resourceType: 'image', deliveryType: 'upload' },
  group: `group-of-${id}`,
  occurredAt: '2026-06-01T12:00:00.000Z',
  receivedAt: '2026-06-01T12:00:01.000Z',
  origin: { source: null, id: null, own: false },
  payload: {},
  ...about
})

export const REASON: DeadLetterReason = { code: 'PERMANENT', message: 'tagging failed', processor: 'tagger' }

/** Embedded queue and dead-letter queue, with readers and writers. */
export async function buildQueues(t: Test) {
  const queue = await startSqs()
  const sqs = new SQSClient({
    endpoint: queue.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'any', secretAccessKey: 'any' }
  })
  const readers: DeadLetterReader[] = []
  t.teardown(async () => {
    await Promise.all(readers.map((reader) => reader.release()))
    sqs.destroy()
    await queue.stop()
  })
  const deadLetters = new DeadLetterSender({ sqs, queueUrl: queue.deadLetterQueueUrl })
  const messages = (name: string) => queue.server.inspectQueue(name)!.messages
  return {
    queue,
    sqs,
    sender: new EventSender({ sqs, queueUrl: queue.queueUrl }),
    deadLetters,
    deadLetter: (event: AssetEvent, reason = REASON) =>
      deadLetters.put(`${event.id}.${reason.processor}`, encodeMessage(event), reason),
    createReader: (options: Partial<DeadLetterReaderOptions> = {}) => {
      const reader = new DeadLetterReader({
        sqs,
        queueUrl: queue.deadLetterQueueUrl,
        log: QUIET,
        waitTimeSeconds: 0,
        ...options
      })
      readers.push(reader)
      return reader
    },
    /** Events in the queue, in order. */
    queued: () => messages(QUEUE_NAME).ready.map(({ body }) => JSON.parse(body) as AssetEvent),
    /** Numbers of dead letters. */
    deadLetterCounts: () => {
      const { ready, inflight } = messages(DEAD_LETTER_QUEUE_NAME)
      return { visible: ready.length, inFlight: inflight.length }
    }
  }
}
