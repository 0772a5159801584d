import { createHash } from 'node:crypto'
import type { PollMessage } from '../cloudinary/poll-channel.ts'

export type Verdict = 'new' | 'known' | 'over'

export interface RefusalsOptions {
  /** Milliseconds since the epoch. */
  clock: () => number
  /** How long a message that does not verify is left in its channel, in milliseconds. */
  leaveMs?: number
  /** How many are remembered. */
  limit?: number
}

/**
 * Remembers the messages that did not verify. They are left in their channel for a day, since what is wrong may be on
 * this side: a key that the secret lacks, a clock. After that they are over, or they would come for ever.
 */
export class Refusals {
  readonly #options: Required<RefusalsOptions>
  readonly #since = new Map<string, number>()

  constructor(options: RefusalsOptions) {
    this.#options = { leaveMs: 24 * 3_600_000, limit: 10_000, ...options }
  }

  /** Whether a message was refused for the first time, again, or once too often: then it is forgotten here. */
  judge(message: PollMessage): Verdict {
    const { clock, leaveMs, limit } = this.#options
    const name = nameOf(message)
    const since = this.#since.get(name)
    if (since === undefined) {
      // with the oldest forgotten, nothing is lost: it is left longer
      const [oldest] = this.#since.keys()
      if (oldest !== undefined && this.#since.size >= limit) this.#since.delete(oldest)
      this.#since.set(name, clock())
      return 'new'
    }
    if (clock() - since < leaveMs) return 'known'
    this.#since.delete(name)
    return 'over'
  }

  /** It verifies after all. */
  forget(message: PollMessage): void {
    if (this.#since.size > 0) this.#since.delete(nameOf(message))
  }
}

/** What a message can be known by: its receipt handle is another each time that it is given. */
export function nameOf({ signed_payload, signature, timestamp }: PollMessage): string {
  return createHash('sha256')
    .update(JSON.stringify([signed_payload, signature, timestamp]))
    .digest('base64')
}
