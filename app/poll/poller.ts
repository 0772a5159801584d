import type { CloudinaryClient } from '../cloudinary/client.ts'
import { acknowledge, fetchMessages, type PollMessage } from '../cloudinary/poll-channel.ts'
import type { Intake } from '../intake/intake.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { takeBatch } from './batch.ts'
import { pauseMs } from './pause.ts'
import { Refusals } from './refusals.ts'

export interface PollerOptions {
  channel: string
  /** A client of the environment whose channel it is, with the key that is valid now. */
  connect: (signal: AbortSignal) => CloudinaryClient
  intake: Pick<Intake, 'take'>
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

/** Should Cloudinary answer at once that there is nothing, it is asked no more often than this, in milliseconds. */
const LEAST_WAIT_MS = 1000

const NEVER = new AbortController().signal

/**
 * Pulls the notifications of one environment out of its poll channel: fetches, verifies and stores them, and only then
 * acknowledges them. Goes on, whatever fails, until it is stopped.
 */
export class Poller {
  readonly #options: Required<PollerOptions>
  readonly #stopping = new AbortController()
  readonly #refusals: Refusals
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
    const messages: PollMessage[] = await fetchMessages(connect(signal), {
      channel,
      maxMessages: MAXIMUM_MESSAGES,
      waitSeconds,
      visibilitySeconds
    })
    if (messages.length === 0) {
      if (elapsedMs() - startedAt < LEAST_WAIT_MS) await sleep(LEAST_WAIT_MS, signal)
      return
    }
    metrics.count('PollMessages', messages.length)
    const until = elapsedMs() + visibilitySeconds * 1000 * BEGIN_SHARE
    const batch = { ...this.#options, refusals: this.#refusals, signal, until }
    const { receiptHandles, error } = await takeBatch(messages, batch)
    // what is stored is acknowledged when it stops as well
    await acknowledge(connect(NEVER), receiptHandles)
    if (error !== undefined) throw error
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
