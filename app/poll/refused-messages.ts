import { createHash } from 'node:crypto'
import type { PollMessage } from '../cloudinary/poll-channel.ts'

/** Whether a message was refused for the first time, again, or after its time in the channel is over. */
export type RefusalState = 'new' | 'known' | 'expired'

export interface RefusedMessagesOptions {
  /** Milliseconds since the epoch. */
  clock: () => number
  /** Time that an unverified message stays in its channel, in milliseconds. (Default: 24 h) */
  leaveMs?: number
  /** Maximum number of messages. (Default: 10,000) */
  limit?: number
}

/**
 * Remembers messages that did not verify. They stay in their channel for a day, since the cause may be on
 * this side: a missing key, a wrong clock. Then they expire, since they would be redelivered forever.
 */
export class RefusedMessages {
  readonly #options: Required<RefusedMessagesOptions>
  readonly #since = new Map<string, number>()

  constructor(options: RefusedMessagesOptions) {
    this.#options = { leaveMs: 24 * 3_600_000, limit: 10_000, ...options }
  }

  /** Records a refused message. Forgets it when it expires. */
  record(message: PollMessage): RefusalState {
    const { clock, leaveMs, limit } = this.#options
    const fingerprint = fingerprintOf(message)
    const since = this.#since.get(fingerprint)
    if (since === undefined) {
      // if a message is forgotten here, it only stays longer in its channel
      const [oldest] = this.#since.keys()
      if (oldest !== undefined && this.#since.size >= limit) this.#since.delete(oldest)
      this.#since.set(fingerprint, clock())
      return 'new'
    }
    if (clock() - since < leaveMs) return 'known'
    this.#since.delete(fingerprint)
    return 'expired'
  }

  /** Forgets a message that verifies now. */
  forget(message: PollMessage): void {
    if (this.#since.size > 0) this.#since.delete(fingerprintOf(message))
  }
}

/** Identifies a message across deliveries, which have different receipt handles. */
export function fingerprintOf({ signed_payload, signature, timestamp }: PollMessage): string {
  return createHash('sha256')
    .update(JSON.stringify([signed_payload, signature, timestamp]))
    .digest('base64')
}
