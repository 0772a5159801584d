import type { AssetEvent } from '../ingest/event.ts'
import type { DeadLetterReason, DeadLetters } from '../queue/dead-letters.ts'
import type { EventSender } from '../queue/event-sender.ts'
import { decodeMessage, encodeMessage } from '../queue/message-codec.ts'
import type { MessageAction, ReceivedMessage } from '../queue/message-source.ts'

/** An event that cannot be processed, and why; SQS itself gives no reason. */
export interface DeadLetter extends Partial<DeadLetterReason> {
  event: AssetEvent
}

export interface QueuedMessage extends ReceivedMessage {
  /** Milliseconds since the epoch. */
  visibleAt: number
}

/** SQS dead-letters a message that was received so often; `infra/` sets it. */
const MAXIMUM_RECEIVES = 1000

/** A FIFO queue with its dead-letter queue, in memory: a message that waits holds back the later ones of its group. */
export class MemoryQueue implements Pick<EventSender, 'store'>, Pick<DeadLetters, 'put'> {
  readonly deadLetters: DeadLetter[] = []
  readonly #clock: () => number
  #messages: QueuedMessage[] = []

  /** @param clock milliseconds since the epoch */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** When the next message can be received, in milliseconds since the epoch; undefined where there is none. */
  get nextAt(): number | undefined {
    const times = this.#heads().map(({ visibleAt }) => visibleAt)
    return times.length > 0 ? Math.min(...times) : undefined
  }

  /** @throws {ListenerError} EVENT_TOO_LARGE, before any is stored */
  async store(events: readonly AssetEvent[]): Promise<void> {
    const visibleAt = this.#clock()
    const messages = events.map((event) => ({
      id: event.id,
      body: encodeMessage(event),
      group: event.group,
      receiveCount: 0,
      visibleAt
    }))
    this.#messages.push(...messages)
  }

  receive(): QueuedMessage | undefined {
    const message = this.#heads().find(({ visibleAt }) => visibleAt <= this.#clock())
    if (message) message.receiveCount++
    return message
  }

  settle(message: QueuedMessage, action: MessageAction): void {
    const isRetried = action.kind === 'retry' && message.receiveCount < MAXIMUM_RECEIVES
    if (isRetried) {
      message.visibleAt = this.#clock() + action.delaySeconds * 1000
      return
    }
    this.#messages = this.#messages.filter((other) => other !== message)
    if (action.kind === 'retry') this.deadLetters.push({ event: decodeMessage(message.body) })
  }

  async put(_id: string, body: string, reason: DeadLetterReason): Promise<void> {
    this.deadLetters.push({ event: decodeMessage(body), ...reason })
  }

  /** The first message of each group. */
  #heads(): QueuedMessage[] {
    const heads = new Map<string, QueuedMessage>()
    for (const message of this.#messages) if (!heads.has(message.group)) heads.set(message.group, message)
    return [...heads.values()]
  }
}
