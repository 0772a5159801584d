/** The outcome of one item of a batch. */
export type Settlement<Result> = { ok: true; value: Result } | { ok: false; error: unknown }

export interface BatcherOptions<Item, Result> {
  /** Sends up to `maximumItems` items and returns their outcomes in order. A throw fails all of them. */
  send: (items: Item[]) => Promise<Settlement<Result>[]>
  /** Maximum number of calls in flight. */
  maximumCalls: number
  /** Maximum number of calls in flight when a batch is sent that is not full. (Default: `maximumCalls`) */
  maximumPartialCalls?: number
  /** Maximum number of items per call. (Default: 10, the limit of SQS) */
  maximumItems?: number
  /** Maximum size of a call, in bytes. (Default: unlimited) */
  maximumBytes?: number
  /** Returns the size of an item, in bytes. (Default: 0) */
  sizeOf?: (item: Item) => number
  /** Calls a function later. Items that are added before then share batches. (Default: `setImmediate`) */
  schedule?: (flush: () => void) => void
  /** Sends a full batch at once, without waiting for the scheduled call. (Default: false) */
  fullAtOnce?: boolean
}

interface PendingItem<Item, Result> {
  item: Item
  bytes: number
  signal: AbortSignal | undefined
  resolve: (value: Result) => void
  reject: (error: unknown) => void
}

/**
 * Group commit: the items of one turn of the event loop are sent together, at once while fewer than
 * `maximumPartialCalls` calls are in flight. Otherwise items wait until a call returns or a batch is full. There
 * is no timer unless `schedule` sets one: no latency when idle, and the busier the process, the longer its turns and
 * the fuller its batches.
 * Items are sent in the order in which they were added.
 */
export class Batcher<Item, Result> {
  readonly #options: Required<BatcherOptions<Item, Result>>
  #pending: PendingItem<Item, Result>[] = []
  #calls = 0
  #flushScheduled = false
  #bytes = 0
  #whenIdle: (() => void)[] = []

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = {
      maximumPartialCalls: options.maximumCalls,
      maximumItems: 10,
      maximumBytes: Number.POSITIVE_INFINITY,
      sizeOf: () => 0,
      schedule: setImmediate,
      fullAtOnce: false,
      ...options
    }
  }

  /** Size of the items that are waiting or in flight, in bytes. */
  get pendingBytes(): number {
    return this.#bytes
  }

  /**
   * Adds an item. Settles with the outcome of this item, whatever the outcomes of the others in its batch.
   *
   * @param signal if it aborts before the item is sent, this rejects with the reason
   */
  add(item: Item, signal?: AbortSignal): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const bytes = this.#options.sizeOf(item)
      this.#bytes += bytes
      this.#pending.push({ item, bytes, signal, resolve, reject })
      this.#scheduleFlush()
    })
  }

  /** Resolves when no item is waiting or in flight. */
  idle(): Promise<void> {
    if (this.#calls === 0 && this.#pending.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  /** Flushes once the requests and responses that have already arrived are handled: their items share batches. */
  #scheduleFlush(): void {
    if (this.#options.fullAtOnce) this.#flush(this.#options.maximumItems)
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    this.#options.schedule(() => {
      this.#flushScheduled = false
      this.#flush()
    })
  }

  /**
   * Sends batches while calls are free.
   *
   * @param minimum minimum number of waiting items for a batch
   */
  #flush(minimum = 1): void {
    const { maximumCalls, maximumPartialCalls, maximumItems } = this.#options
    while (this.#pending.length >= minimum) {
      const isFull = this.#pending.length >= maximumItems
      if (this.#calls >= (isFull ? maximumCalls : maximumPartialCalls)) break
      const batch = this.#nextBatch()
      if (batch.length > 0) void this.#call(batch)
    }
    this.#announceIdle()
  }

  #nextBatch(): PendingItem<Item, Result>[] {
    const { maximumItems, maximumBytes } = this.#options
    const batch: PendingItem<Item, Result>[] = []
    let bytes = 0
    let scanned = 0
    for (const entry of this.#pending) {
      if (entry.signal?.aborted) {
        this.#settle(entry, { ok: false, error: entry.signal.reason })
      } else {
        bytes += entry.bytes
        // the first item is sent whatever its size; the service rejects it if it is too large
        if (batch.length > 0 && (batch.length === maximumItems || bytes > maximumBytes)) break
        batch.push(entry)
      }
      scanned++
    }
    this.#pending.splice(0, scanned)
    return batch
  }

  #settle(entry: PendingItem<Item, Result>, settlement: Settlement<Result>): void {
    this.#bytes -= entry.bytes
    if (settlement.ok) entry.resolve(settlement.value)
    else entry.reject(settlement.error)
  }

  async #call(batch: PendingItem<Item, Result>[]): Promise<void> {
    this.#calls++
    let settlements: Settlement<Result>[]
    try {
      settlements = await this.#options.send(batch.map(({ item }) => item))
    } catch (error) {
      settlements = batch.map(() => ({ ok: false, error }))
    }
    batch.forEach((entry, index) => {
      this.#settle(
        entry,
        settlements[index] ?? { ok: false, error: new Error('the response has no entry for this item') }
      )
    })
    this.#calls--
    this.#scheduleFlush()
  }

  #announceIdle(): void {
    if (this.#calls > 0 || this.#pending.length > 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}
