import { randomBytes } from 'node:crypto'

/** A notification as it waits to be fetched. */
export interface Buffered {
  body: Buffer
  signature: string
  /** Unix time, seconds, as text. */
  timestamp: string
}

/** A notification as it is handed out. The fields are pycloudinary's. */
export interface PollMessage {
  receipt_handle: string
  /** The notification, parsed; null where it is not JSON. */
  payload: unknown
  /** The exact bytes that are signed: base64url, without padding. */
  signed_payload: string
  signature: string
  timestamp: string
}

export interface Claim {
  maxMessages: number
  /** How long to wait for the first message. */
  waitMs: number
  /** How long what is handed out stays hidden from others. */
  visibilityMs: number
  /** Milliseconds. */
  clock: () => number
  /** Aborts the wait: the caller has gone. */
  signal: AbortSignal
}

interface Entry extends Buffered {
  /** Of the last time it was handed out; undefined before. */
  receiptHandle?: string
  hiddenUntil: number
}

/**
 * The poll channels of one cloud: each a buffer of notifications. One that was handed out is hidden for a time; unless
 * it is acknowledged by then, it is handed out again. That a receipt handle of an earlier time acknowledges nothing is
 * assumed, and so is that nothing is dropped however old.
 */
export class PollChannels {
  readonly #channels = new Map<string, Entry[]>()
  readonly #waiters = new Set<() => void>()

  push(channel: string, message: Buffered): void {
    const entries = this.#channels.get(channel) ?? []
    this.#channels.set(channel, [...entries, { ...message, hiddenUntil: 0 }])
    for (const wake of this.#waiters) wake()
  }

  /** How many of a channel are not acknowledged. */
  size(channel: string): number {
    return this.#channels.get(channel)?.length ?? 0
  }

  /** Hands out what is not hidden: as soon as there is something, or nothing when the time is up. */
  async claim(channel: string, claim: Claim): Promise<PollMessage[]> {
    const { clock, waitMs, signal } = claim
    const until = clock() + waitMs
    for (;;) {
      const messages = this.#take(channel, claim)
      const now = clock()
      if (messages.length > 0 || now >= until || signal.aborted) return messages
      const shown = (this.#channels.get(channel) ?? []).map(({ hiddenUntil }) => hiddenUntil)
      await this.#sleep(Math.min(until, ...shown) - now, signal)
    }
  }

  /** Removes messages for good. False for a handle that is none, or no longer. */
  acknowledge(receiptHandle: string): boolean {
    for (const [channel, entries] of this.#channels) {
      const left = entries.filter((entry) => entry.receiptHandle !== receiptHandle)
      if (left.length === entries.length) continue
      this.#channels.set(channel, left)
      return true
    }
    return false
  }

  #take(channel: string, { maxMessages, visibilityMs, clock }: Claim): PollMessage[] {
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

  /** Until something may have come, the time is over, or the caller has gone. */
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
