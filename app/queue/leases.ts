import { ListenerError } from '../errors.ts'
import type { StartInterval } from '../interval.ts'
import type { Logger } from '../logger.ts'
import type { MessageSource } from './message-source.ts'

/**
 * Maximum time that a message can stay hidden, counted from its receive, in seconds: the 12 hours that SQS
 * allows, less a margin for the call.
 */
const MAX_HIDDEN_SECONDS = 43_200 - 60

/**
 * Heartbeats per visibility timeout. After two failures in a row the lease is given up, because it expires by
 * the next heartbeat.
 */
const BEATS = 3

export interface LeasesOptions {
  source: Pick<MessageSource, 'delete' | 'changeVisibility' | 'idle'>
  log: Logger
  visibilityTimeoutSeconds: number
  every: StartInterval
  /** Monotonic time, in milliseconds. */
  clock: () => number
}

interface Lease {
  abort: AbortController
  /** Time when the receive was sent, in milliseconds, by the clock. */
  requestedAt: number
  /** Time when the lease expires, in milliseconds, by the clock. */
  expiresAt: number
  renewal: Promise<void> | undefined
  describe: () => object
}

/**
 * The messages that this process holds. The queue hides each for the visibility timeout, and a heartbeat
 * extends that for as long as the message is held. Another worker may receive a message whose lease is lost,
 * so its handler is aborted.
 */
export class Leases {
  readonly #options: LeasesOptions
  readonly #leases = new Map<string, Lease>()
  readonly #beatMs: number
  readonly #stopBeating: () => void

  constructor(options: LeasesOptions) {
    this.#options = options
    this.#beatMs = (options.visibilityTimeoutSeconds * 1000) / BEATS
    this.#stopBeating = options.every(this.#beatMs, () => this.#beat())
  }

  /**
   * Starts the lease of a message, which is lost at once if it may have expired. The lease counts from the
   * request, because a process that was stopped for a while reads the response late.
   *
   * @param requestedAt when the receive was sent, in milliseconds, by the clock
   * @param abort aborted when the lease is lost
   * @param describe returns the fields of log lines about the message
   */
  begin(
    receiptHandle: string,
    requestedAt: number,
    abort: AbortController,
    describe: () => object = () => ({})
  ): void {
    const expiresAt = requestedAt + this.#options.visibilityTimeoutSeconds * 1000
    const lease = { abort, requestedAt, expiresAt, renewal: undefined, describe }
    if (this.#options.clock() >= expiresAt) this.#lose(receiptHandle, lease)
    else this.#leases.set(receiptHandle, lease)
  }

  /**
   * Ends a lease: deletes the message, or makes it visible after a number of seconds, or earlier if SQS
   * cannot hide it for that long.
   *
   * @returns false, having done nothing, if the lease was lost
   */
  async end(receiptHandle: string, how: 'delete' | number): Promise<boolean> {
    const lease = this.#leases.get(receiptHandle)
    if (!lease) return false
    this.#leases.delete(receiptHandle)
    // a heartbeat that overtakes the change would undo it
    await lease.renewal
    const { source } = this.#options
    if (how === 'delete') await source.delete(receiptHandle)
    else await source.changeVisibility(receiptHandle, Math.min(how, this.#hideableSeconds(lease)))
    return true
  }

  /** Stops the heartbeat. Resolves when no call is in flight. */
  async close(): Promise<void> {
    this.#stopBeating()
    await this.#options.source.idle()
  }

  #hideableSeconds({ requestedAt }: Lease): number {
    const heldSeconds = Math.ceil((this.#options.clock() - requestedAt) / 1000)
    return Math.max(0, MAX_HIDDEN_SECONDS - heldSeconds)
  }

  #expiry(): number {
    return this.#options.clock() + this.#options.visibilityTimeoutSeconds * 1000
  }

  #beat(): void {
    for (const [receiptHandle, lease] of this.#leases) {
      const isLost = lease.renewal ? this.#expiresByNextBeat(lease) : this.#options.clock() >= lease.expiresAt
      if (isLost) this.#lose(receiptHandle, lease)
      else lease.renewal ??= this.#renew(receiptHandle, lease)
    }
  }

  /**
   * Returns whether another worker may have the message by the next beat, if no renewal succeeds until then.
   */
  #expiresByNextBeat(lease: Lease): boolean {
    return this.#options.clock() + this.#beatMs >= lease.expiresAt
  }

  async #renew(receiptHandle: string, lease: Lease): Promise<void> {
    const expiresAt = this.#expiry()
    try {
      await this.#options.source.changeVisibility(receiptHandle, this.#options.visibilityTimeoutSeconds)
      lease.expiresAt = expiresAt
    } catch (err) {
      this.#options.log.warn({ err, ...lease.describe() }, 'lease renewal failed')
      if (this.#expiresByNextBeat(lease) && this.#leases.has(receiptHandle)) this.#lose(receiptHandle, lease)
    } finally {
      lease.renewal = undefined
    }
  }

  #lose(receiptHandle: string, lease: Lease): void {
    this.#leases.delete(receiptHandle)
    lease.abort.abort(
      new ListenerError('LEASE_LOST', 'the visibility timeout expired or could not be extended in time')
    )
  }
}
