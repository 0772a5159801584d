import { type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { AssetEvent } from '../ingest/event.ts'
import { type StartInterval, startInterval } from '../interval.ts'
import type { Logger } from '../logger.ts'
import type { DeadLetterReason } from './dead-letter-sender.ts'
import { Leases } from './leases.ts'
import { decodeMessage } from './message-codec.ts'
import { SqsMessageSource } from './sqs-message-source.ts'

/** A dead letter that this process has received. */
export interface ReceivedDeadLetter {
  id: string
  receiptHandle: string
  /** The event; undefined if this listener did not write the message. */
  event: AssetEvent | undefined
  /** The reason; undefined if SQS moved the message here, because it was received too often. */
  reason: DeadLetterReason | undefined
  /** `SentTimestamp` of the message, by the clock of SQS; milliseconds since the epoch. */
  sentAt: number
  bytes: number
}

export interface DeadLetterReaderOptions {
  sqs: SQSClient
  queueUrl: string
  log: Logger
  /**
   * How long a receive waits for messages, in seconds. Above 0, it queries all servers of SQS. (Default: 1)
   */
  waitTimeSeconds?: number
  /** Monotonic clock, in milliseconds. */
  clock?: () => number
  every?: StartInterval
}

const RECEIVE_BATCH = 10
const VISIBILITY_SECONDS = 120

/**
 * Reads the dead-letter queue and returns each message once. Received messages stay hidden, from this process
 * too, until they are deleted or released. Messages that SQS moved here keep the message group of their
 * asset, and SQS returns no other message of a group while one is in flight. Messages that this listener wrote
 * have a group each.
 */
export class DeadLetterReader {
  readonly #options: DeadLetterReaderOptions
  readonly #leases: Leases
  readonly #clock: () => number
  readonly #held = new Set<string>()
  readonly #seen = new Set<string>()

  constructor(options: DeadLetterReaderOptions) {
    const { clock = () => performance.now(), every = startInterval } = options
    this.#options = options
    this.#clock = clock
    const source = new SqsMessageSource(options)
    const { log } = options
    this.#leases = new Leases({ source, log, clock, every, visibilityTimeoutSeconds: VISIBILITY_SECONDS })
  }

  /** Returns up to ten dead letters that were not returned before; none if SQS has no others. */
  async receive(): Promise<ReceivedDeadLetter[]> {
    const { sqs, queueUrl, waitTimeSeconds = 1 } = this.#options
    const requestedAt = this.#clock()
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: RECEIVE_BATCH,
        WaitTimeSeconds: waitTimeSeconds,
        VisibilityTimeout: VISIBILITY_SECONDS,
        MessageAttributeNames: ['All'],
        MessageSystemAttributeNames: ['SentTimestamp']
      })
    )
    const deadLetters = Messages.map(deadLetterOf)
    for (const { receiptHandle } of deadLetters) this.#hold(receiptHandle, requestedAt)
    const unseen = deadLetters.filter(({ id }) => !this.#seen.has(id))
    for (const { id } of deadLetters) this.#seen.add(id)
    return unseen
  }

  /** Deletes a dead letter. Resolves to false if it may still be in the queue. */
  async delete({ receiptHandle }: ReceivedDeadLetter): Promise<boolean> {
    this.#held.delete(receiptHandle)
    return this.#leases.end(receiptHandle, 'delete').catch(() => false)
  }

  /**
   * Makes all messages visible that were not deleted. If SQS refuses, they become visible within two minutes.
   */
  async release(): Promise<void> {
    await Promise.allSettled([...this.#held].map((handle) => this.#leases.end(handle, 0)))
    this.#held.clear()
    await this.#leases.close()
  }

  #hold(receiptHandle: string, requestedAt: number): void {
    const lost = new AbortController()
    lost.signal.addEventListener('abort', () => this.#held.delete(receiptHandle))
    this.#held.add(receiptHandle)
    this.#leases.begin(receiptHandle, requestedAt, lost)
  }
}

function deadLetterOf({
  MessageId = '',
  ReceiptHandle = '',
  Body = '',
  ...message
}: Message): ReceivedDeadLetter {
  const attribute = (name: string) => message.MessageAttributes?.[name]?.StringValue
  const code = attribute('code')
  const processor = attribute('processor')
  return {
    id: MessageId,
    receiptHandle: ReceiptHandle,
    event: eventOf(Body),
    reason:
      code === undefined
        ? undefined
        : { code, message: attribute('message') ?? '', ...(processor !== undefined && { processor }) },
    sentAt: Number(message.Attributes?.SentTimestamp ?? 0),
    bytes: Body.length
  }
}

function eventOf(body: string): AssetEvent | undefined {
  try {
    return decodeMessage(body)
  } catch {
    return undefined
  }
}
