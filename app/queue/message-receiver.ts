import { setTimeout as sleep } from 'node:timers/promises'
import { type Message, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { ListenerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { Lanes } from './lanes.ts'
import { Leases } from './leases.ts'

/** A message as its handler sees it. */
export interface ReceivedMessage {
  id: string
  body: string
  /** The SQS message group: one asset. */
  group: string
  /**
   * How often SQS has handed it out, this time included. SQS also counts receives in which it only waited behind another
   * message of its group, so this is an upper bound of how often it was handled.
   */
  receiveCount: number
}

/** What becomes of a message: it is deleted, or given out again after some seconds (0 to 43200). */
export type Disposition = { kind: 'delete' } | { kind: 'retry'; delaySeconds: number }

export interface MessageReceiverOptions {
  sqs: SQSClient
  queueUrl: string
  /** Handles one message; `signal` aborts when the receiver stops or no longer holds the message. */
  handle: (message: ReceivedMessage, signal: AbortSignal) => Promise<Disposition>
  log: Logger
  /** What a line of the log says of a message; its id, unless told otherwise. */
  describe?: (message: ReceivedMessage) => object
  /** Maximum number of lanes, each of which handles one message at a time. */
  concurrency: number
  /** Maximum number of lanes just now, where that is less. Asked before each receive. */
  capacity?: () => number
  /**
   * Maximum size of the messages that wait behind another one of their group, in bytes. What is beyond it is returned to
   * the queue. (Default: 32 MiB)
   */
  maximumWaitingBytes?: number
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
  group: string
  bytes: number
  message: ReceivedMessage
  receiptHandle: string
  /** Aborts when the receiver stops or the lease is lost. */
  abort: AbortController
}

/** How long SQS hides a message from others without a heartbeat; the queue has the same. */
export const VISIBILITY_TIMEOUT_SECONDS = 60

/** SQS hands out up to ten messages of a group at once, so at most nine wait in each lane; an event has a few KiB. */
const MAXIMUM_WAITING_BYTES = 32 * 1024 * 1024

const RECEIVE_BATCH = 10
const RECEIVE_MARGIN_MS = 3000
const CAPACITY_POLL_MS = 500
const LONGEST_PAUSE_MS = 30_000

function everyWithTimer(milliseconds: number, beat: () => void): () => void {
  const timer = setInterval(beat, milliseconds)
  return () => clearInterval(timer)
}

/**
 * Receives messages and handles them: those of a group one after the other, those of different groups side by side. When
 * one fails, the later ones of its group return to the queue untouched.
 */
export class MessageReceiver {
  readonly #options: Required<MessageReceiverOptions>
  readonly #leases: Leases
  readonly #lanes: Lanes<Held>
  readonly #stopping = new AbortController()
  #laneEnded: () => void = () => {}
  #receiving: Promise<void> | undefined

  constructor(options: MessageReceiverOptions) {
    this.#options = {
      visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
      waitTimeSeconds: 2,
      every: everyWithTimer,
      random: Math.random,
      describe: ({ id }) => ({ messageId: id }),
      capacity: () => Number.POSITIVE_INFINITY,
      maximumWaitingBytes: MAXIMUM_WAITING_BYTES,
      clock: () => performance.now(),
      ...options
    }
    this.#leases = new Leases(this.#options)
    this.#lanes = new Lanes({
      run: (held) => this.#run(held),
      release: (held) => this.#release(held),
      maximumWaitingBytes: this.#options.maximumWaitingBytes,
      onEnd: () => this.#laneEnded()
    })
  }

  /** Starts to receive. */
  start(): void {
    this.#receiving ??= this.#receiveUntilStopped()
  }

  /**
   * Receives no more messages, lets running handlers finish, and returns the rest to the queue.
   *
   * @param graceMs how long handlers may run before their signals are aborted, in milliseconds; they then
   *   have a tenth of it to end, and what still runs is returned to the queue
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort(new ListenerError('STOPPING', 'the worker is stopping'))
    this.#laneEnded()
    await this.#receiving
    if (!(await this.#idleWithin(graceMs))) {
      for (const { abort } of this.#lanes.items) abort.abort(this.#stopping.signal.reason)
      if (!(await this.#idleWithin(graceMs / 10))) {
        const held = this.#lanes.items
        this.#options.log.warn(
          { messages: held.length },
          'handlers did not end in time; handing back their messages'
        )
        await Promise.all(held.map((each) => this.#release(each)))
      }
    }
    await this.#leases.close()
  }

  async #idleWithin(milliseconds: number): Promise<boolean> {
    const timeUp = new AbortController()
    const result = await Promise.race([
      this.#lanes.idle().then(() => true),
      sleep(milliseconds, false, { signal: timeUp.signal }).catch(() => false)
    ])
    timeUp.abort()
    return result
  }

  async #receiveUntilStopped(): Promise<void> {
    const { concurrency, capacity, log, random } = this.#options
    let failures = 0
    while (!this.#stopping.signal.aborted) {
      const free = Math.min(concurrency, capacity()) - this.#lanes.size
      if (free <= 0) {
        await this.#laneEndedWithin(CAPACITY_POLL_MS)
        continue
      }
      try {
        // each message may be of another group, and so start a lane
        const messages = await this.#receive(Math.min(free, RECEIVE_BATCH))
        failures = 0
        this.#lanes.add(messages.map((message) => this.#hold(message)))
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

  /** Capacity may return without the end of a lane, so it is not waited for longer. */
  async #laneEndedWithin(milliseconds: number): Promise<void> {
    const ended = new AbortController()
    this.#laneEnded = () => ended.abort()
    await sleep(milliseconds, undefined, { signal: ended.signal }).catch(() => {})
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

  #hold({ MessageId, ReceiptHandle = '', Body = '', Attributes }: Message): Held {
    const message = {
      id: MessageId ?? '',
      body: Body,
      group: Attributes?.MessageGroupId ?? '',
      receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 1)
    }
    const abort = new AbortController()
    this.#leases.begin(ReceiptHandle, abort, () => this.#options.describe(message))
    return {
      message,
      group: message.group,
      bytes: Buffer.byteLength(Body),
      receiptHandle: ReceiptHandle,
      abort
    }
  }

  async #run(held: Held): Promise<boolean> {
    const disposition = this.#stopping.signal.aborted ? HAND_BACK : await this.#handle(held)
    const isSettled = await this.#settle(held, disposition)
    return isSettled && disposition.kind === 'delete'
  }

  /** Without a delay: SQS hides it for as long as an earlier message of its group is hidden. */
  async #release(held: Held): Promise<void> {
    await this.#settle(held, HAND_BACK)
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

  /** Resolves to false when SQS did not accept it or the lease was lost: the message is then redelivered by itself. */
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
