import { type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { AssetEvent } from '../../ingest/event.ts'
import { type StartInterval, startInterval } from '../../interval.ts'
import type { Logger } from '../../logger.ts'
import type { DeadLetterReason } from '../../queue/dead-letters.ts'
import { Leases } from '../../queue/leases.ts'
import { decodeMessage } from '../../queue/message-codec.ts'
import { SqsMessageSource } from '../../queue/sqs-message-source.ts'

/** A dead letter that this process holds. */
export interface Letter {
  id: string
  receiptHandle: string
  /** Undefined where this listener did not write it. */
  event: AssetEvent | undefined
  /** Undefined where SQS itself put the message aside, because it was received too often. */
  reason: DeadLetterReason | undefined
  /** When it was put into the queue it comes from: milliseconds since the epoch, by the clock of SQS. */
  sentAt: number
  bytes: number
}

export interface LettersOptions {
  sqs: SQSClient
  queueUrl: string
  /** Told when a letter cannot be held. */
  log: Logger
  /** How long a receive waits for letters, in seconds; more than 0 asks every server of SQS. */
  waitTimeSeconds?: number
  /** Milliseconds, by a clock that is never set back. */
  clock?: () => number
  every?: StartInterval
}

const RECEIVE_BATCH = 10
const VISIBILITY_SECONDS = 120

/**
 * The letters of the dead-letter queue, each seen once: what was received stays hidden from everybody, this process
 * included, until it is deleted or all are handed back. Letters that SQS itself put aside keep the message group of
 * their asset, and SQS gives out no more of a group of which some are held; those this listener put aside have a
 * group each.
 */
export class Letters {
  readonly #options: LettersOptions
  readonly #leases: Leases
  readonly #held = new Set<string>()
  readonly #seen = new Set<string>()

  constructor(options: LettersOptions) {
    const { clock = () => performance.now(), every = startInterval } = options
    this.#options = options
    const source = new SqsMessageSource(options)
    const { log } = options
    this.#leases = new Leases({ source, log, clock, every, visibilityTimeoutSeconds: VISIBILITY_SECONDS })
  }

  /** Up to ten letters that were not received before; none when SQS has no more, or none but those seen. */
  async receive(): Promise<Letter[]> {
    const { sqs, queueUrl, waitTimeSeconds = 1 } = this.#options
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
    const letters = Messages.map(letterOf)
    for (const { receiptHandle } of letters) this.#hold(receiptHandle)
    const unseen = letters.filter(({ id }) => !this.#seen.has(id))
    for (const { id } of letters) this.#seen.add(id)
    return unseen
  }

  /** Resolves to false when the letter may still be there. */
  async delete({ receiptHandle }: Letter): Promise<boolean> {
    this.#held.delete(receiptHandle)
    return this.#leases.end(receiptHandle, 'delete').catch(() => false)
  }

  /** Lets everybody see what was not deleted. What cannot be handed back is seen again within two minutes. */
  async handBack(): Promise<void> {
    await Promise.allSettled([...this.#held].map((handle) => this.#leases.end(handle, 0)))
    this.#held.clear()
    await this.#leases.close()
  }

  #hold(receiptHandle: string): void {
    const lost = new AbortController()
    lost.signal.addEventListener('abort', () => this.#held.delete(receiptHandle))
    this.#held.add(receiptHandle)
    this.#leases.begin(receiptHandle, lost)
  }
}

function letterOf({ MessageId = '', ReceiptHandle = '', Body = '', ...message }: Message): Letter {
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
