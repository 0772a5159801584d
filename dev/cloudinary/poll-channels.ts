import { randomBytes } from 'node:crypto'

/** A notification in a channel. */
export interface BufferedNotification {
  body: Buffer
  signature: string
  /** Unix time in seconds, as text. */
  timestamp: string
}

/** A notification as received. The fields are those of pycloudinary. */
export interface PollMessage {
  receipt_handle: string
  /** The parsed notification; null if it is not JSON. */
  payload: unknown
  /** The exact signed bytes, in base64url without padding. */
  signed_payload: string
  signature: string
  timestamp: string
}

export interface ReceiveOptions {
  maxMessages: number
  /** Maximum time to wait for the first message. */
  waitMs: number
  /** Visibility timeout of the received messages. */
  visibilityMs: number
  /** Unix time, milliseconds. */
  clock: () => number
  /** Aborts when the caller disconnects. */
  signal: AbortSignal
}

interface Entry extends BufferedNotification {
  /** Receipt handle of the last receive; undefined before the first. */
  receiptHandle?: string
  hiddenUntil: number
}

/**
 * The poll channels of one cloud, which buffer notifications. A received notification is hidden until its
 * visibility timeout, and redelivered unless it was acknowledged by then. Assumptions: the receipt handle of
 * an earlier receive acknowledges nothing, and notifications do not expire.
 */
export class PollChannels {
  readonly #channels = new Map<string, Entry[]>()
  readonly #waiters = new Set<() => void>()

  push(channel: string, message: BufferedNotification): void {
    const entries = this.#channels.get(channel) ?? []
    this.#channels.set(channel, [...entries, { ...message, hiddenUntil: 0 }])
    for (const wake of this.#waiters) wake()
  }

  /** Number of notifications in a channel that are not acknowledged. */
  size(channel: string): number {
    return this.#channels.get(channel)?.length ?? 0
  }

  /** Receives visible notifications. Waits for the first one, and returns none after the maximum wait. */
  async receive(channel: string, options: ReceiveOptions): Promise<PollMessage[]> {
    const { clock, waitMs, signal } = options
    const until = clock() + waitMs
    for (;;) {
      const messages = this.#receiveVisible(channel, options)
      const now = clock()
      if (messages.length > 0 || now >= until || signal.aborted) return messages
      const visibleAt = (this.#channels.get(channel) ?? []).map(({ hiddenUntil }) => hiddenUntil)
      await this.#sleep(Math.min(until, ...visibleAt) - now, signal)
    }
  }

  /** Deletes a notification. Returns false for an unknown or outdated receipt handle. */
  acknowledge(receiptHandle: string): boolean {
    for (const [channel, entries] of this.#channels) {
      const remaining = entries.filter((entry) => entry.receiptHandle !== receiptHandle)
      if (remaining.length === entries.length) continue
      this.#channels.set(channel, remaining)
      return true
    }
    return false
  }

  #receiveVisible(channel: string, { maxMessages, visibilityMs, clock }: ReceiveOptions): PollMessage[] {
    const now = clock()
    const visible = (this.#channels.get(channel) ?? []).filter(({ hiddenUntil }) => hiddenUntil <= now)
    return visible.slice(0, maxMessages).map((entry) => {
      const receiptHandle = randomBytes(16).toString('hex')
      Object.assign(entry, { receiptHandle, hiddenUntil: now + visibilityMs })
      return {
        receipt_handle: receiptHandle,
        payload: parse(entry.body),
        signed_payload: entry.body.toString('base64url'),
        signature: entry.signature,
        timestamp: entry.timestamp
      }
    })
  }

  /** Waits until a notification arrives, the time has passed or the signal aborts. */
  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve: wake } = Promise.withResolvers<void>()
    const timer = setTimeout(wake, ms)
    this.#waiters.add(wake)
    signal.addEventListener('abort', () => wake(), { once: true })
    await promise
    clearTimeout(timer)
    this.#waiters.delete(wake)
  }
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return null
  }
}
