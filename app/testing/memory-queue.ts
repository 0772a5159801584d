import type { AssetEvent } from '../ingest/event.ts'
import type { DeadLetterReason, DeadLetterSender } from '../queue/dead-letter-sender.ts'
import type { EventSender } from '../queue/event-sender.ts'
import { decodeMessage, encodeMessage } from '../queue/message-codec.ts'
import type { MessageAction, ReceivedMessage } from '../queue/message-source.ts'

/** A dead-lettered event. Has no reason if it exceeded the maximum receives, as in SQS. */
export interface DeadLetter extends Partial<DeadLetterReason> {
  event: AssetEvent
}

export interface QueuedMessage extends ReceivedMessage {
  /** Milliseconds since the epoch. */
  visibleAt: number
}

/** Receives after which SQS dead-letters a message, as `infra/` configures it. */
const MAX_RECEIVES = 1000

/** An in-memory FIFO queue with a dead-letter queue: a waiting message blocks later ones of its group. */
export class MemoryQueue implements Pick<EventSender, 'store'>, Pick<DeadLetterSender, 'put'> {
  readonly deadLetters: DeadLetter[] = []
  readonly #clock: () => number
  #messages: QueuedMessage[] = []

  /** @param clock milliseconds since the epoch */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /**
   * When the next message becomes visible, in milliseconds since the epoch; undefined if the queue is empty.
   */
  get nextAt(): number | undefined {
    const times = this.#heads().map(({ visibleAt }) => visibleAt)
    return times.length > 0 ? Math.min(...times) : undefined
  }

  /** @throws {ListenerError} EVENT_TOO_LARGE, without storing any event */
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
    const isRetried = action.kind === 'retry' && message.receiveCount < MAX_RECEIVES
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

  /** Returns the first message of each group. */
  #heads(): QueuedMessage[] {
    const heads = new Map<string, QueuedMessage>()
    for (const message of this.#messages) if (!heads.has(message.group)) heads.set(message.group, message)
    return [...heads.values()]
  }
}
