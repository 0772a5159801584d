import type { CloudinaryClient } from '../cloudinary/client.ts'
import { acknowledge, fetchMessages } from '../cloudinary/poll-channel.ts'
import type { Ingest } from '../ingest/ingest.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { takeBatch } from './poll-batch.ts'
import { pauseMs } from './poll-pause.ts'
import { Refusals } from './refused-messages.ts'

export interface PollerOptions {
  channel: string
  /** A client of the environment whose channel it is, with the key that is valid now. */
  connect: (signal: AbortSignal) => CloudinaryClient
  ingest: Pick<Ingest, 'receive'>
  log: Logger
  metrics: Metrics
  /** How long Cloudinary waits for a first message, in seconds. */
  waitSeconds?: number
  /** How long what was fetched stays hidden, in seconds. */
  visibilitySeconds?: number
  clock?: () => number
  /** Milliseconds; only differences count. */
  elapsedMs?: () => number
  random?: () => number
  /** Resolves after so many milliseconds, or when the signal aborts. */
  sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** Notifications fetched at a time. */
const MAXIMUM_MESSAGES = 50

/** Long, since each call may count against the hour's; short enough for whatever is between here and Cloudinary. */
const WAIT_SECONDS = 30

/** Longer than a batch takes: storing one notification takes 8 s at most, and then the batch is broken off. */
const VISIBILITY_SECONDS = 60

/** The share of that time in which messages may be begun; the rest is for the last one, and for acknowledging. */
const BEGIN_SHARE = 2 / 3

/** Minimum time between two fetches of which the first brought nothing that is done with, in milliseconds. */
const LEAST_WAIT_MS = 1000

/** Defects of single messages. Each is logged once and always counted: such a message is redelivered until it is removed. */
const FLAWS = {
  POLL_MESSAGE_INVALID: 'messages that are not JSON objects were skipped',
  RECEIPT_HANDLE_MISSING: 'notifications without a receipt handle cannot be acknowledged',
  ACKNOWLEDGE_REJECTED: 'Cloudinary rejects receipt handles; their notifications stay in the channel'
}

const NEVER = new AbortController().signal

/**
 * Pulls the notifications of one environment out of its poll channel: fetches, verifies and stores them, and only then
 * acknowledges them. Goes on, whatever fails, until it is stopped.
 */
export class Poller {
  readonly #options: Required<PollerOptions>
  readonly #stopping = new AbortController()
  readonly #refusals: Refusals
  readonly #logged = new Set<keyof typeof FLAWS>()
  #running: Promise<void> | undefined
  /** In a row. */
  #failures = 0

  constructor(options: PollerOptions) {
    this.#options = {
      waitSeconds: WAIT_SECONDS,
      visibilitySeconds: VISIBILITY_SECONDS,
      clock: Date.now,
      elapsedMs: () => performance.now(),
      random: Math.random,
      ...options
    }
    this.#refusals = new Refusals({ clock: this.#options.clock })
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Fetches no more, ends the message in hand and acknowledges what is stored; the rest becomes visible again. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#once()
        this.#failures = 0
      } catch (error) {
        if (!signal.aborted) await this.#pause(error)
      }
    }
  }

  /** @throws what keeps it from going on at once */
  async #once(): Promise<void> {
    const { channel, connect, metrics, waitSeconds, visibilitySeconds, elapsedMs, sleep } = this.#options
    const { signal } = this.#stopping
    const startedAt = elapsedMs()
    const { messages, invalid } = await fetchMessages(connect(signal), {
      channel,
      maxMessages: MAXIMUM_MESSAGES,
      waitSeconds,
      visibilitySeconds
    })
    if (messages.length > 0) metrics.count('PollMessages', messages.length)
    this.#noteFlaw('POLL_MESSAGE_INVALID', invalid)
    const until = elapsedMs() + visibilitySeconds * 1000 * BEGIN_SHARE
    const batch = { ...this.#options, refusals: this.#refusals, signal, until }
    const { receiptHandles, withoutHandle, error } = await takeBatch(messages, batch)
    this.#noteFlaw('RECEIPT_HANDLE_MISSING', withoutHandle)
    // what is stored is acknowledged when it stops as well
    const rejected = await acknowledge(connect(NEVER), receiptHandles)
    this.#noteFlaw('ACKNOWLEDGE_REJECTED', rejected.length)
    if (error !== undefined) throw error
    const isProgress = receiptHandles.length > rejected.length
    if (!isProgress && elapsedMs() - startedAt < LEAST_WAIT_MS) await sleep(LEAST_WAIT_MS, signal)
  }

  #noteFlaw(code: keyof typeof FLAWS, messages: number): void {
    if (messages === 0) return
    const { log, metrics } = this.#options
    metrics.count('PollMessagesFlawed', messages, { Reason: code })
    if (this.#logged.has(code)) return
    this.#logged.add(code)
    log.error({ code, messages }, FLAWS[code])
  }

  async #pause(error: unknown): Promise<void> {
    const { log, metrics, clock, random, sleep } = this.#options
    this.#failures++
    metrics.count('PollFailures', 1)
    const pause = pauseMs(error, { failures: this.#failures, random: random(), now: clock() })
    log.error({ err: error, retryInSeconds: Math.ceil(pause / 1000) }, 'cannot poll; trying again')
    await sleep(pause, this.#stopping.signal)
  }
}
