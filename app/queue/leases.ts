import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type SQSClient
} from '@aws-sdk/client-sqs'
import { ListenerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { Batcher } from './batcher.ts'
import { settlements } from './settlements.ts'

/** Calls of each kind to SQS in flight at a time. */
const MAXIMUM_CALLS = 4

/** SQS hides a message for 12 hours at most, counted from when it was received; less a margin for the call, in seconds. */
const LONGEST_HIDDEN_SECONDS = 43_200 - 60

/** Heartbeats in one visibility time-out. With the second that fails in a row the lease is given up: it ends before the next. */
const BEATS = 3

export interface LeasesOptions {
  sqs: SQSClient
  queueUrl: string
  log: Logger
  visibilityTimeoutSeconds: number
  every: (milliseconds: number, beat: () => void) => () => void
  /** Milliseconds, by a clock that is never set back. */
  clock: () => number
}

interface Lease {
  abort: AbortController
  /** Milliseconds, by the clock. */
  receivedAt: number
  /** Milliseconds, by the clock. */
  expiresAt: number
  renewal: Promise<void> | undefined
  about: () => object
}

/**
 * The messages that this process holds: SQS hides each from others for the visibility time-out, and a heartbeat
 * extends that for as long as the message is held. A message whose lease is lost may be given to another
 * worker, so its handler is told to stop.
 */
export class Leases {
  readonly #options: LeasesOptions
  readonly #leases = new Map<string, Lease>()
  readonly #delete: Batcher<string, void>
  readonly #changeVisibility: Batcher<{ ReceiptHandle: string; VisibilityTimeout: number }, void>
  readonly #beatMs: number
  readonly #stopBeating: () => void

  constructor(options: LeasesOptions) {
    const { sqs, queueUrl: QueueUrl } = options
    this.#options = options
    this.#delete = new Batcher({
      maximumCalls: MAXIMUM_CALLS,
      send: async (handles) => {
        const Entries = handles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }))
        return settlements(Entries, await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })))
      }
    })
    this.#changeVisibility = new Batcher({
      maximumCalls: MAXIMUM_CALLS,
      send: async (changes) => {
        const Entries = changes.map((change, index) => ({ Id: String(index), ...change }))
        return settlements(
          Entries,
          await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }))
        )
      }
    })
    this.#beatMs = (options.visibilityTimeoutSeconds * 1000) / BEATS
    this.#stopBeating = options.every(this.#beatMs, () => this.#beat())
  }

  /** Holds a message that was received just now; `abort` is aborted if it is lost; `about` is in its log lines. */
  begin(receiptHandle: string, abort: AbortController, about: () => object = () => ({})): void {
    const receivedAt = this.#options.clock()
    this.#leases.set(receiptHandle, {
      abort,
      receivedAt,
      expiresAt: this.#expiry(),
      renewal: undefined,
      about
    })
  }

  /**
   * Ends a lease: the message is deleted, or becomes visible again after a number of seconds, or earlier where SQS cannot
   * hide it for as long. Resolves to false, and does nothing, when the lease was lost; rejects when SQS refuses the call.
   */
  async end(receiptHandle: string, how: 'delete' | number): Promise<boolean> {
    const lease = this.#leases.get(receiptHandle)
    if (!lease) return false
    this.#leases.delete(receiptHandle)
    // a heartbeat that overtakes the change would undo it
    await lease.renewal
    if (how === 'delete') await this.#delete.add(receiptHandle)
    else await this.#hide(receiptHandle, Math.min(how, this.#hideableSeconds(lease)))
    return true
  }

  #hide(ReceiptHandle: string, VisibilityTimeout: number): Promise<void> {
    return this.#changeVisibility.add({ ReceiptHandle, VisibilityTimeout })
  }

  #hideableSeconds({ receivedAt }: Lease): number {
    const heldSeconds = Math.ceil((this.#options.clock() - receivedAt) / 1000)
    return Math.max(0, LONGEST_HIDDEN_SECONDS - heldSeconds)
  }

  /** Stops the heartbeat and resolves when every call has returned. */
  async close(): Promise<void> {
    this.#stopBeating()
    await Promise.all([this.#delete.idle(), this.#changeVisibility.idle()])
  }

  #expiry(): number {
    return this.#options.clock() + this.#options.visibilityTimeoutSeconds * 1000
  }

  #beat(): void {
    for (const [receiptHandle, lease] of this.#leases) {
      if (this.#options.clock() >= lease.expiresAt) this.#lose(receiptHandle, lease)
      else lease.renewal ??= this.#renew(receiptHandle, lease)
    }
  }

  async #renew(receiptHandle: string, lease: Lease): Promise<void> {
    const expiresAt = this.#expiry()
    try {
      await this.#hide(receiptHandle, this.#options.visibilityTimeoutSeconds)
      lease.expiresAt = expiresAt
    } catch (err) {
      this.#options.log.warn({ err, ...lease.about() }, 'cannot extend the visibility time-out of a message')
      // by the next beat another worker may have it
      const late = this.#options.clock() + this.#beatMs >= lease.expiresAt
      if (late && this.#leases.has(receiptHandle)) this.#lose(receiptHandle, lease)
    } finally {
      lease.renewal = undefined
    }
  }

  #lose(receiptHandle: string, lease: Lease): void {
    this.#leases.delete(receiptHandle)
    lease.abort.abort(
      new ListenerError(
        'LEASE_LOST',
        'the visibility time-out of the message could not be extended while it was being handled'
      )
    )
  }
}
