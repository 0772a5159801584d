import { setTimeout as sleep } from 'node:timers/promises'
import { type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { ListenerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { Leases } from './leases.ts'

/** A message as its handler sees it. */
export interface ReceivedMessage {
  id: string
  body: string
  /** The SQS message group: one asset. */
  group: string
  /** How often SQS has given it out, this time included; hand-backs count. */
  receiveCount: number
}

/** What becomes of a message: it is deleted, or given out again after some seconds (0 to 43200). */
export type Disposition = { kind: 'delete' } | { kind: 'retry'; delaySeconds: number }

export interface InboxOptions {
  sqs: SQSClient
  queueUrl: string
  /** Handles one message; `signal` aborts when the inbox stops or no longer holds the message. */
  handle: (message: ReceivedMessage, signal: AbortSignal) => Promise<Disposition>
  log: Logger
  /** What a line of the log says of a message; its id, unless told otherwise. */
  describe?: (message: ReceivedMessage) => object
  /** Messages held at a time. */
  concurrency: number
  /** How many may be held just now, where that is less; asked before each receive. */
  capacity?: () => number
  /** How long SQS hides a message from others without a heartbeat, in seconds. */
  visibilityTimeoutSeconds?: number
  /**
   * How long a receive waits for messages, in seconds; SQS allows 20. A stop does not abort a receive, since it
   * may already hold messages, which nobody would then see until their visibility time-out ends: so this is also
   * how long a stop may have to wait.
   */
  waitTimeSeconds?: number
  /** Calls `beat` every so many milliseconds until the returned function is called. */
  every?: (milliseconds: number, beat: () => void) => () => void
  /** A number from 0 up to 1. */
  random?: () => number
  /** Milliseconds, by a clock that is never set back. */
  clock?: () => number
}

interface Held {
  message: ReceivedMessage
  receiptHandle: string
  /** Aborts when the inbox stops or the lease is lost. */
  abort: AbortController
}

/** How long SQS hides a message from others without a heartbeat; the queue has the same. */
export const VISIBILITY_TIMEOUT_SECONDS = 60

const RECEIVE_BATCH = 10
const RECEIVE_MARGIN_MS = 3000
const CAPACITY_POLL_MS = 500
const LONGEST_PAUSE_MS = 30_000

function everyWithTimer(milliseconds: number, beat: () => void): () => void {
  const timer = setInterval(beat, milliseconds)
  return () => clearInterval(timer)
}

/**
 * Receives messages, one lane for each message group: the messages of a group are handled one after the other,
 * those of different groups side by side. When one fails, the later ones of its lane go back untouched.
 */
export class Inbox {
  readonly #options: Required<InboxOptions>
  readonly #leases: Leases
  readonly #lanes = new Map<string, Held[]>()
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #held = 0
  #slotFreed: () => void = () => {}
  #receiving: Promise<void> | undefined

  constructor(options: InboxOptions) {
    this.#options = {
      visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
      waitTimeSeconds: 2,
      every: everyWithTimer,
      random: Math.random,
      describe: ({ id }) => ({ messageId: id }),
      capacity: () => Number.POSITIVE_INFINITY,
      clock: () => performance.now(),
      ...options
    }
    this.#leases = new Leases(this.#options)
  }

  /** Starts to receive. */
  start(): void {
    this.#receiving ??= this.#receiveUntilStopped()
  }

  /**
   * Takes no more messages, lets running handlers finish, and hands back the rest.
   *
   * @param graceMs how long handlers may go on before their signals are aborted, in milliseconds; they then
   *   have a tenth of it to end, and what still runs is handed back
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort(new ListenerError('STOPPING', 'the worker is stopping'))
    this.#slotFreed()
    await this.#receiving
    if (!(await this.#handled(graceMs))) {
      for (const { abort } of this.#allHeld()) abort.abort(this.#stopping.signal.reason)
      if (!(await this.#handled(graceMs / 10))) {
        this.#options.log.warn(
          { messages: this.#held },
          'handlers did not end in time; handing back their messages'
        )
        await Promise.allSettled([...this.#allHeld()].map((held) => this.#leases.end(held.receiptHandle, 0)))
      }
    }
    await this.#leases.close()
  }

  *#allHeld(): Iterable<Held> {
    for (const lane of this.#lanes.values()) yield* lane
  }

  async #handled(milliseconds: number): Promise<boolean> {
    const timeUp = new AbortController()
    const result = await Promise.race([
      Promise.all(this.#running).then(() => true),
      sleep(milliseconds, false, { signal: timeUp.signal }).catch(() => false)
    ])
    timeUp.abort()
    return result
  }

  async #receiveUntilStopped(): Promise<void> {
    const { concurrency, capacity, log, random } = this.#options
    let failures = 0
    while (!this.#stopping.signal.aborted) {
      const free = Math.min(concurrency, capacity()) - this.#held
      if (free <= 0) {
        await this.#slotFreedWithin(CAPACITY_POLL_MS)
        continue
      }
      try {
        const messages = await this.#receive(Math.min(free, RECEIVE_BATCH))
        failures = 0
        for (const message of messages) this.#take(message)
      } catch (err) {
        const pause = random() * Math.min(LONGEST_PAUSE_MS, 500 * 2 ** failures++)
        log.error(
          { err, code: 'QUEUE_UNAVAILABLE', pauseMs: Math.round(pause) },
          'cannot receive from the queue'
        )
        await sleep(pause, undefined, { signal: this.#stopping.signal }).catch(() => {})
      }
    }
  }

  /** Capacity may come back without a slot being freed, so it is not waited for longer. */
  async #slotFreedWithin(milliseconds: number): Promise<void> {
    const freed = new AbortController()
    this.#slotFreed = () => freed.abort()
    await sleep(milliseconds, undefined, { signal: freed.signal }).catch(() => {})
  }

  async #receive(maximum: number): Promise<Message[]> {
    const answer = await this.#options.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#options.queueUrl,
        MaxNumberOfMessages: maximum,
        WaitTimeSeconds: this.#options.waitTimeSeconds,
        VisibilityTimeout: this.#options.visibilityTimeoutSeconds,
        MessageSystemAttributeNames: ['MessageGroupId', 'ApproximateReceiveCount']
      }),
      // long after SQS should have answered, so that a silent queue does not hold up a stop
      { abortSignal: AbortSignal.timeout(this.#options.waitTimeSeconds * 1000 + RECEIVE_MARGIN_MS) }
    )
    return answer.Messages ?? []
  }

  #take({ MessageId, ReceiptHandle, Body, Attributes }: Message): void {
    const held: Held = {
      message: {
        id: MessageId ?? '',
        body: Body ?? '',
        group: Attributes?.MessageGroupId ?? '',
        receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 1)
      },
      receiptHandle: ReceiptHandle ?? '',
      abort: new AbortController()
    }
    this.#held++
    this.#leases.begin(held.receiptHandle, held.abort, () => this.#options.describe(held.message))
    const lane = this.#lanes.get(held.message.group)
    if (lane) {
      lane.push(held)
      return
    }
    const newLane = [held]
    this.#lanes.set(held.message.group, newLane)
    const running = this.#runLane(held.message.group, newLane)
    this.#running.add(running)
    void running.finally(() => this.#running.delete(running))
  }

  async #runLane(group: string, lane: Held[]): Promise<void> {
    let broken = false
    // a message leaves its lane when it is settled, so that one received meanwhile joins the same lane
    for (let held = lane[0]; held; held = lane[0]) {
      const disposition: Disposition =
        broken || this.#stopping.signal.aborted ? HAND_BACK : await this.#handle(held)
      const settled = await this.#settle(held, disposition)
      broken ||= !settled || disposition.kind === 'retry'
      lane.shift()
      this.#held--
      this.#slotFreed()
    }
    this.#lanes.delete(group)
  }

  async #handle({ message, abort }: Held): Promise<Disposition> {
    if (abort.signal.aborted) return HAND_BACK
    try {
      const disposition = await this.#options.handle(message, abort.signal)
      // being cut short is not the message's fault: it need not wait
      return disposition.kind === 'retry' && abort.signal.aborted ? HAND_BACK : disposition
    } catch (err) {
      if (abort.signal.aborted) return HAND_BACK
      this.#options.log.error({ err, ...this.#options.describe(message) }, 'the handler of a message threw')
      return { kind: 'retry', delaySeconds: this.#options.visibilityTimeoutSeconds }
    }
  }

  /** Resolves to false when SQS did not take it or the message was lost: it then comes again by itself. */
  async #settle(held: Held, disposition: Disposition): Promise<boolean> {
    try {
      return await this.#leases.end(
        held.receiptHandle,
        disposition.kind === 'delete' ? 'delete' : disposition.delaySeconds
      )
    } catch (err) {
      const { log, describe } = this.#options
      log.warn({ err, ...describe(held.message) }, `cannot ${disposition.kind} a message`)
      return false
    }
  }
}

const HAND_BACK: Disposition = { kind: 'retry', delaySeconds: 0 }
