import type { CloudinaryClient } from '../cloudinary/client.ts'
import { acknowledge, fetchMessages } from '../cloudinary/poll-channel.ts'
import type { Ingest } from '../ingest/ingest.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Tracing } from '../tracing/tracing.ts'
import { ingestBatch } from './poll-batch.ts'
import { pauseMs } from './poll-pause.ts'
import { RefusedMessages } from './refused-messages.ts'

export interface PollerOptions {
  channel: string
  /** Creates a client of the channel's environment, with the current key. */
  connect: (signal: AbortSignal) => CloudinaryClient
  ingest: Pick<Ingest, 'receive'>
  log: Logger
  metrics: Metrics
  tracing?: Tracing
  /** Maximum time that Cloudinary waits for a first message, in seconds. */
  waitSeconds?: number
  /** Visibility timeout of the fetched messages, in seconds. */
  visibilitySeconds?: number
  clock?: () => number
  /** Monotonic clock, in milliseconds. */
  elapsedMs?: () => number
  random?: () => number
  /** Resolves after the time, or when the signal aborts. */
  sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

/** Maximum number of notifications per fetch. */
const MAX_MESSAGES = 50

/** Long, because calls may count against the hourly limit, but shorter than the idle timeouts of proxies. */
const WAIT_SECONDS = 30

/** Longer than a batch: storing one notification takes at most 8 s, and a failure ends the batch. */
const VISIBILITY_SECONDS = 60

/**
 * Share of the visibility timeout in which a message may be started. The rest is for the last one and for
 * acknowledging.
 */
const START_SHARE = 2 / 3

/** Minimum interval of fetches if the first completed no message, in milliseconds. */
const MINIMUM_INTERVAL_MS = 1000

/** Defects of individual messages. Each is logged once but counted at each delivery: they are redelivered. */
const FLAWS = {
  POLL_MESSAGE_INVALID: 'invalid poll messages skipped',
  RECEIPT_HANDLE_MISSING: 'poll messages without receipt handle',
  ACKNOWLEDGE_REJECTED: 'poll acknowledgements rejected'
}

/**
 * Fetches notifications of one environment from its poll channel, verifies and stores them, and only then
 * acknowledges them. Runs until it is stopped. Retries after any failure.
 */
export class Poller {
  readonly #options: Required<Omit<PollerOptions, 'tracing'>> & Pick<PollerOptions, 'tracing'>
  readonly #stopping = new AbortController()
  readonly #refusedMessages: RefusedMessages
  readonly #logged = new Set<keyof typeof FLAWS>()
  #running: Promise<void> | undefined
  /** Number of consecutive failures. */
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
    this.#refusedMessages = new RefusedMessages({ clock: this.#options.clock })
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Finishes the current message and acknowledges stored ones. The others become visible again. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await this.#fetchBatch()
        this.#failures = 0
      } catch (error) {
        if (!signal.aborted) await this.#pause(error)
      }
    }
  }

  /** Throws if it must pause. */
  async #fetchBatch(): Promise<void> {
    const { channel, connect, metrics, waitSeconds, visibilitySeconds, elapsedMs, sleep } = this.#options
    const { signal } = this.#stopping
    const startedAt = elapsedMs()
    const { messages, invalid } = await fetchMessages(connect(signal), {
      channel,
      maxMessages: MAX_MESSAGES,
      waitSeconds,
      visibilitySeconds
    })
    if (messages.length > 0) metrics.count('PollMessages', messages.length)
    this.#reportFlaw('POLL_MESSAGE_INVALID', invalid)
    const until = elapsedMs() + visibilitySeconds * 1000 * START_SHARE
    const batch = { ...this.#options, refusedMessages: this.#refusedMessages, signal, until }
    const { receiptHandles, withoutHandle, error } = await ingestBatch(messages, batch)
    this.#reportFlaw('RECEIPT_HANDLE_MISSING', withoutHandle)
    // stored messages are acknowledged even while it stops
    const rejected = await acknowledge(connect(new AbortController().signal), receiptHandles)
    this.#reportFlaw('ACKNOWLEDGE_REJECTED', rejected.length)
    if (error !== undefined) throw error
    const isProgress = receiptHandles.length > rejected.length
    if (!isProgress && elapsedMs() - startedAt < MINIMUM_INTERVAL_MS) await sleep(MINIMUM_INTERVAL_MS, signal)
  }

  #reportFlaw(code: keyof typeof FLAWS, messages: number): void {
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
    log.error({ err: error, retryInSeconds: Math.ceil(pause / 1000) }, 'poll failed; retrying')
    await sleep(pause, this.#stopping.signal)
  }
}
