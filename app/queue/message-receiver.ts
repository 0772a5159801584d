import { setTimeout as sleep } from 'node:timers/promises'
import { ListenerError } from '../errors.ts'
import { type StartInterval, startInterval } from '../interval.ts'
import type { Logger } from '../logger.ts'
import { Lanes } from './lanes.ts'
import { Leases } from './leases.ts'
import type { LeasedMessage, MessageAction, MessageSource, ReceivedMessage } from './message-source.ts'

export interface MessageReceiverOptions {
  source: MessageSource
  /** Handles one message. `signal` aborts when the receiver stops or no longer holds the message. */
  handle: (message: ReceivedMessage, signal: AbortSignal) => Promise<MessageAction>
  log: Logger
  /** Returns the fields of log lines about a message. (Default: its id) */
  describe?: (message: ReceivedMessage) => object
  /** Maximum number of messages that are handled at a time, each of a different group. */
  concurrency: number
  /**
   * Returns the current maximum number of lanes, if it is lower than `concurrency`. Called before each
   * receive. (Default: unlimited)
   */
  capacity?: () => number
  /**
   * Maximum size of the messages that wait behind another one of their group, in bytes. Messages beyond it
   * are returned to the queue. (Default: 32 MiB)
   */
  maximumWaitingBytes?: number
  /** How long a message stays hidden without a heartbeat, in seconds. (Default: 60) */
  visibilityTimeoutSeconds?: number
  /**
   * How long a receive waits for messages, in seconds; SQS allows 20. Also how long `stop` waits for a
   * receive: aborting a receive could leave messages hidden until their visibility timeout ends. (Default: 2)
   */
  waitTimeSeconds?: number
  every?: StartInterval
  /** A number from 0 up to 1. */
  random?: () => number
  /** Monotonic time, in milliseconds. */
  clock?: () => number
}

interface HeldMessage extends LeasedMessage {
  group: string
  bytes: number
  /** Aborted when the receiver stops or the lease is lost. */
  abort: AbortController
}

/** The visibility timeout of the queue and of each receive. */
export const VISIBILITY_TIMEOUT_SECONDS = 60

/**
 * Maximum size of all waiting messages, in bytes. At most nine messages of a receive wait in a lane, and an
 * event has a few KiB.
 */
const MAX_WAITING_BYTES = 32 * 1024 * 1024

const RECEIVE_BATCH = 10
const CAPACITY_POLL_MS = 500

/**
 * Share of the lanes that must be free for a receive: receiving one message costs as much as receiving ten.
 */
const WORTHWHILE_SHARE = 0.1

/** Maximum time to wait until this share is free, in milliseconds. After that, one free lane is enough. */
const MAX_WAIT_MS = 500
const MAX_PAUSE_MS = 30_000

const RELEASE: MessageAction = { kind: 'retry', delaySeconds: 0 }

/**
 * Receives messages and handles them: in order within a message group, in parallel across groups. When a
 * message fails, the later ones of its group return to the queue.
 */
export class MessageReceiver {
  readonly #options: Required<MessageReceiverOptions>
  readonly #leases: Leases
  readonly #lanes: Lanes<HeldMessage>
  readonly #stopping = new AbortController()
  #laneEnded: () => void = () => {}
  #receiving: Promise<void> | undefined
  /** Number of lanes whose last message is handled and waits only for SQS. At most ten of them count as free. */
  #settling = 0

  constructor(options: MessageReceiverOptions) {
    this.#options = {
      visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
      waitTimeSeconds: 2,
      every: startInterval,
      random: Math.random,
      describe: ({ id }) => ({ messageId: id }),
      capacity: () => Number.POSITIVE_INFINITY,
      maximumWaitingBytes: MAX_WAITING_BYTES,
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

  /** Number of message groups that are being handled, at most `concurrency`. */
  get groupsInProgress(): number {
    return this.#lanes.size - this.#settling
  }

  start(): void {
    this.#receiving ??= this.#receiveUntilStopped()
  }

  /**
   * Stops receiving, lets running handlers finish, and returns waiting messages to the queue.
   *
   * @param graceMs how long handlers may run before their signals abort, in milliseconds. After that, they
   *   have a tenth of this time to finish; then their messages return to the queue
   */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort(new ListenerError('STOPPING', 'the worker is stopping'))
    this.#laneEnded()
    await this.#receiving
    if (!(await this.#idleWithin(graceMs))) {
      for (const { abort } of this.#lanes.items) abort.abort(this.#stopping.signal.reason)
      if (!(await this.#idleWithin(graceMs / 10))) {
        const held = this.#lanes.items
        this.#options.log.warn({ messages: held.length }, 'shutdown timed out; messages released')
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
    const { source, concurrency, capacity, waitTimeSeconds, visibilityTimeoutSeconds } = this.#options
    let failures = 0
    let timeUp: AbortSignal | undefined
    while (!this.#stopping.signal.aborted) {
      const maximum = Math.min(concurrency, capacity())
      // each message may be of a different group and so start a lane
      const free = maximum - this.#lanes.size + Math.min(this.#settling, RECEIVE_BATCH)
      const isWorthwhile = free >= Math.min(RECEIVE_BATCH, Math.floor(maximum * WORTHWHILE_SHARE))
      if (free <= 0 || !(isWorthwhile || timeUp?.aborted)) {
        if (free > 0) timeUp ??= AbortSignal.timeout(MAX_WAIT_MS)
        await this.#laneEndedWithin(CAPACITY_POLL_MS)
        continue
      }
      timeUp = undefined
      const maximumMessages = Math.min(free, RECEIVE_BATCH)
      const requestedAt = this.#options.clock()
      try {
        const messages = await source.receive({ maximumMessages, waitTimeSeconds, visibilityTimeoutSeconds })
        failures = 0
        this.#lanes.add(messages.map((message) => this.#hold(message, requestedAt)))
      } catch (err) {
        await this.#pauseAfter(err, failures++)
      }
    }
  }

  async #pauseAfter(err: unknown, failures: number): Promise<void> {
    const pauseMs = Math.round(this.#options.random() * Math.min(MAX_PAUSE_MS, 500 * 2 ** failures))
    this.#options.log.error({ err, code: 'QUEUE_UNAVAILABLE', pauseMs }, 'queue receive failed; retrying')
    await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
  }

  /** Waits until a lane ends or the time is up: capacity may also rise while no lane ends. */
  async #laneEndedWithin(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    // not an AbortSignal, whose error costs more than the rest of this function
    this.#laneEnded = resolve
    const timer = setTimeout(resolve, milliseconds)
    await promise
    clearTimeout(timer)
  }

  #hold({ message, receiptHandle }: LeasedMessage, requestedAt: number): HeldMessage {
    const abort = new AbortController()
    this.#leases.begin(receiptHandle, requestedAt, abort, () => this.#options.describe(message))
    return { message, receiptHandle, group: message.group, bytes: Buffer.byteLength(message.body), abort }
  }

  /**
   * Handles a message and settles it. Resolves to false if the later messages of the group must not run
   * before it is redelivered.
   */
  async #run(held: HeldMessage): Promise<boolean> {
    const action = this.#stopping.signal.aborted ? RELEASE : await this.#handle(held)
    const endsLane = !this.#lanes.hasWaiting(held.group)
    if (endsLane) {
      this.#settling++
      this.#laneEnded()
    }
    const isSettled = await this.#settle(held, action)
    if (endsLane) this.#settling--
    return isSettled && action.kind === 'delete'
  }

  /**
   * Returns a message to the queue without a delay: SQS hides it for as long as an earlier one of its group
   * is hidden.
   */
  async #release(held: HeldMessage): Promise<void> {
    await this.#settle(held, RELEASE)
  }

  async #handle({ message, abort }: HeldMessage): Promise<MessageAction> {
    if (abort.signal.aborted) return RELEASE
    try {
      const action = await this.#options.handle(message, abort.signal)
      // an interrupted message can be retried without a delay
      return action.kind === 'retry' && abort.signal.aborted ? RELEASE : action
    } catch (err) {
      if (abort.signal.aborted) return RELEASE
      this.#options.log.error({ err, ...this.#options.describe(message) }, 'message handler threw')
      return { kind: 'retry', delaySeconds: this.#options.visibilityTimeoutSeconds }
    }
  }

  /**
   * Deletes a message, or returns it to the queue. Resolves to false if the lease was lost or the call
   * failed; the message is then redelivered.
   */
  async #settle({ receiptHandle, message }: HeldMessage, action: MessageAction): Promise<boolean> {
    try {
      return await this.#leases.end(receiptHandle, action.kind === 'delete' ? 'delete' : action.delaySeconds)
    } catch (err) {
      const { log, describe } = this.#options
      log.warn({ err, ...describe(message), action: action.kind }, 'message settlement failed')
      return false
    }
  }
}
