import type { Answer, Roll } from '../network.ts'
import type { Scheduler, SimulatedProcess, Task } from '../scheduler.ts'
import { type Entry, type Input, messagesOf, type StoredMessage, settle, sqsError } from './sqs-messages.ts'

export interface QueueOptions {
  scheduler: Scheduler
  name: string
  /** Where messages go that were received too often. */
  deadLetterQueue?: SqsQueue
  maxReceiveCount?: number
  onStored?: (message: StoredMessage) => void
  /** Called when a message whose lease expired is received again. */
  onLeaseLost?: (message: StoredMessage) => void
}

interface Waiter {
  until: number
  input: Input
  roll: Roll
  receiver: SimulatedProcess | undefined
  isDisturbed: boolean
  answer: (answer: Answer<object>) => void
}

const DEDUPLICATION_MS = 5 * 60_000
const MAX_VISIBILITY_SECONDS = 43_200
const RETENTION_MS = 14 * 86_400_000
export const MAX_BATCH = 10
const MAX_BYTES = 1024 * 1024

/** The visibility timeouts that the listener's heartbeats set, in seconds. */
const LEASE_SECONDS = [60, 120]

/**
 * A FIFO queue of SQS.
 *
 * - While a message of a group is in flight, no other message of the group is received; one receive may return
 *   several of a group, in order.
 * - A message sent with an id that was seen within five minutes is confirmed and dropped.
 * - An expired receipt handle deletes nothing; deleting a deleted message succeeds.
 * - A message that was received too often moves to the dead-letter queue with its group.
 *
 * Sources: FIFO-queues-understanding-logic, sqs-visibility-timeout, quotas-messages and
 * using-messagededuplicationid-property in
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/
 */
export class SqsQueue {
  readonly name: string
  readonly #options: QueueOptions
  /** In order. */
  messages: StoredMessage[] = []
  /** The newest message sent with each deduplication id, also after it was deleted. */
  readonly everStored = new Map<string, StoredMessage>()
  /** Messages that SQS has moved here from another queue. */
  readonly moved = new Set<StoredMessage>()
  readonly #handles = new Map<string, StoredMessage>()
  readonly #waiters = new Set<Waiter>()
  #wake: Task | undefined
  #sequence = 0
  #handle = 0

  constructor(options: QueueOptions) {
    this.name = options.name
    this.#options = options
  }

  get #now(): number {
    return this.#options.scheduler.now
  }

  send({
    MessageBody = '',
    MessageGroupId,
    MessageDeduplicationId,
    ...input
  }: Omit<Input, 'QueueUrl'>): StoredMessage {
    if (!MessageGroupId || !MessageDeduplicationId) throw sqsError('MissingParameter')
    const known = this.everStored.get(MessageDeduplicationId)
    if (known && known.sentAt + DEDUPLICATION_MS > this.#now) return known
    const message: StoredMessage = {
      id: `${this.name}-${this.#sequence}`,
      body: MessageBody,
      group: MessageGroupId,
      asset: /"group":"(\w+)"/.exec(MessageBody)?.[1],
      deduplicationId: MessageDeduplicationId,
      attributes: input.MessageAttributes ?? {},
      sequence: this.#sequence++,
      sentAt: this.#now,
      receives: 0,
      receivedAt: 0,
      visibleAt: this.#now,
      handle: undefined,
      isLeased: false,
      receiver: undefined,
      holder: undefined
    }
    this.everStored.set(message.deduplicationId, message)
    this.messages.push(message)
    this.#options.onStored?.(message)
    this.#answerWaiters()
    return message
  }

  sendBatch(entries: readonly Entry[], fails: (entry: Entry) => boolean): object {
    const bytes = entries.reduce((sum, { MessageBody = '' }) => sum + Buffer.byteLength(MessageBody), 0)
    if (bytes > MAX_BYTES) throw sqsError('BatchRequestTooLong')
    return settle(entries, fails, (entry) => ({ MessageId: this.send(entry).id }))
  }

  deleteBatch(entries: readonly Entry[], fails: (entry: Entry) => boolean): object {
    const result = settle(entries, fails, ({ ReceiptHandle = '' }) => {
      const message = this.#handles.get(ReceiptHandle)
      if (!message) throw sqsError('ReceiptHandleIsInvalid')
      if (!this.messages.includes(message)) return {}
      if (message.handle !== ReceiptHandle || message.visibleAt <= this.#now) {
        throw sqsError('InvalidParameterValue', 'The receipt handle has expired.')
      }
      this.messages.splice(this.messages.indexOf(message), 1)
      return {}
    })
    this.#answerWaiters()
    return result
  }

  changeVisibilityBatch(
    entries: readonly Entry[],
    fails: (entry: Entry) => boolean,
    isHeartbeat = false
  ): object {
    const result = settle(entries, fails, ({ ReceiptHandle = '', VisibilityTimeout = 0 }) => {
      const message = this.#handles.get(ReceiptHandle)
      const isHeld = message?.handle === ReceiptHandle && message.visibleAt > this.#now
      if (!message || !isHeld || !this.messages.includes(message)) throw sqsError('MessageNotInflight')
      const visibleAt = this.#now + VisibilityTimeout * 1000
      if (visibleAt - message.receivedAt > MAX_VISIBILITY_SECONDS * 1000)
        throw sqsError('InvalidParameterValue')
      message.visibleAt = visibleAt
      message.isLeased = LEASE_SECONDS.includes(VisibilityTimeout)
      if (!isHeartbeat) message.holder = undefined
      return {}
    })
    this.#answerWaiters()
    return result
  }

  /** Answers at once, or when messages are visible, or after the wait. */
  receive(
    input: Input,
    roll: Roll,
    answer: (answer: Answer<object>) => void,
    receiver?: SimulatedProcess,
    isDisturbed = false
  ): void {
    const received = this.#take(input, roll, receiver, isDisturbed)
    const until = this.#now + (input.WaitTimeSeconds ?? 0) * 1000
    if (received.length > 0 || until <= this.#now) {
      answer({ value: messagesOf(received) })
      return
    }
    const waiter: Waiter = { until, input, roll, receiver, isDisturbed, answer }
    this.#waiters.add(waiter)
    this.#options.scheduler.at(until, undefined, 'wait', () => {
      if (this.#waiters.delete(waiter)) answer({ value: {} })
    })
    this.#scheduleWake()
  }

  /** Approximate numbers, as GetQueueAttributes returns them. */
  attributes(): object {
    const hidden = this.messages.filter(({ visibleAt }) => visibleAt > this.#now).length
    return {
      Attributes: {
        ApproximateNumberOfMessages: String(this.messages.length - hidden),
        ApproximateNumberOfMessagesNotVisible: String(hidden),
        ApproximateNumberOfMessagesDelayed: '0'
      }
    }
  }

  #take(
    { MaxNumberOfMessages = 1, VisibilityTimeout = 60 }: Input,
    roll: Roll,
    receiver: SimulatedProcess | undefined,
    isDisturbed: boolean
  ): StoredMessage[] {
    if (this.messages.length === 0) return []
    const now = this.#now
    this.messages = this.messages.filter(({ sentAt }) => sentAt + RETENTION_MS > now)
    const blocked = new Set<string>()
    for (const { visibleAt, group } of this.messages) if (visibleAt > now) blocked.add(group)
    // a receive may return fewer messages than there are
    const maximum = roll('few') < 0.2 ? 1 : Math.min(MaxNumberOfMessages, MAX_BATCH)
    const taken: StoredMessage[] = []
    for (const message of [...this.messages]) {
      if (taken.length === maximum) break
      if (blocked.has(message.group)) continue
      if (this.#isMoved(message)) continue
      if (message.isLeased) this.#options.onLeaseLost?.(message)
      message.receives++
      message.handle = `${this.name}-handle-${this.#handle++}`
      message.receivedAt = now
      message.visibleAt = now + VisibilityTimeout * 1000
      message.isLeased = true
      message.receiver = receiver
      message.holder = isDisturbed ? undefined : receiver
      this.#handles.set(message.handle, message)
      taken.push(message)
    }
    return taken
  }

  #isMoved(message: StoredMessage): boolean {
    const { deadLetterQueue, maxReceiveCount = 1000 } = this.#options
    if (!deadLetterQueue || message.receives < maxReceiveCount) return false
    this.messages.splice(this.messages.indexOf(message), 1)
    const moved = { ...message, receives: 0, visibleAt: this.#now, isLeased: false }
    deadLetterQueue.messages.push(moved)
    deadLetterQueue.moved.add(moved)
    return true
  }

  #answerWaiters(): void {
    for (const waiter of this.#waiters) {
      const received = this.#take(waiter.input, waiter.roll, waiter.receiver, waiter.isDisturbed)
      if (received.length === 0) continue
      this.#waiters.delete(waiter)
      waiter.answer({ value: messagesOf(received) })
    }
    this.#scheduleWake()
  }

  /** Looks again when the next message becomes visible. */
  #scheduleWake(): void {
    if (this.#waiters.size === 0) return
    const now = this.#now
    let next = Number.POSITIVE_INFINITY
    for (const { visibleAt } of this.messages) if (visibleAt > now && visibleAt < next) next = visibleAt
    if (
      next === Number.POSITIVE_INFINITY ||
      (this.#wake && !this.#wake.isCancelled && this.#wake.time <= next)
    )
      return
    if (this.#wake) this.#wake.isCancelled = true
    const wake = this.#options.scheduler.at(next, undefined, 'visible', () => {
      if (this.#wake === wake) this.#wake = undefined
      this.#answerWaiters()
    })
    this.#wake = wake
  }
}
