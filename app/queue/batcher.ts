/** How one item of a batch ended. */
export type Settlement<Result> = { ok: true; value: Result } | { ok: false; error: unknown }

export interface BatcherOptions<Item, Result> {
  /** Sends up to `maximumItems` items and says, in their order, how each ended; a throw fails them all. */
  send: (items: Item[]) => Promise<Settlement<Result>[]>
  /** Calls in flight at a time. */
  maximumCalls: number
  /** Items in a call; SQS takes ten. */
  maximumItems?: number
  /** Bytes in a call, by `sizeOf`. */
  maximumBytes?: number
  sizeOf?: (item: Item) => number
}

interface Waiting<Item, Result> {
  item: Item
  bytes: number
  signal: AbortSignal | undefined
  resolve: (value: Result) => void
  reject: (error: unknown) => void
}

/**
 * Group commit: while fewer than `maximumCalls` calls are in flight an item leaves at once; otherwise it waits
 * for a call to return and leaves with those that wait beside it. There is no timer: no latency when idle,
 * full batches under load. Items leave in the order they came.
 */
export class Batcher<Item, Result> {
  readonly #options: Required<BatcherOptions<Item, Result>>
  #waiting: Waiting<Item, Result>[] = []
  #calls = 0
  #flushScheduled = false
  #bytes = 0
  #whenIdle: (() => void)[] = []

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = { maximumItems: 10, maximumBytes: Number.POSITIVE_INFINITY, sizeOf: () => 0, ...options }
  }

  /** Bytes that wait or are in flight, by `sizeOf`. */
  get pendingBytes(): number {
    return this.#bytes
  }

  /**
   * Settles as the item's own entry in the answer does.
   *
   * @param signal aborted before the item's turn has come, it is dropped, and rejects with the signal's reason
   */
  add(item: Item, signal?: AbortSignal): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const bytes = this.#options.sizeOf(item)
      this.#bytes += bytes
      this.#waiting.push({ item, bytes, signal, resolve, reject })
      this.#scheduleFlush()
    })
  }

  /** Resolves when nothing waits and nothing is in flight. */
  idle(): Promise<void> {
    if (this.#calls === 0 && this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  /** Items that are added in the same turn leave together. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    queueMicrotask(() => {
      this.#flushScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#calls < this.#options.maximumCalls) {
      const batch = this.#nextBatch()
      if (batch.length > 0) void this.#call(batch)
    }
    this.#announceIdle()
  }

  #nextBatch(): Waiting<Item, Result>[] {
    const { maximumItems, maximumBytes } = this.#options
    const batch: Waiting<Item, Result>[] = []
    let bytes = 0
    let taken = 0
    for (const entry of this.#waiting) {
      if (entry.signal?.aborted) {
        this.#settle(entry, { ok: false, error: entry.signal.reason })
      } else {
        bytes += entry.bytes
        // the first leaves whatever its size: what is too large for a batch is for the receiver to say
        if (batch.length > 0 && (batch.length === maximumItems || bytes > maximumBytes)) break
        batch.push(entry)
      }
      taken++
    }
    this.#waiting.splice(0, taken)
    return batch
  }

  #settle(entry: Waiting<Item, Result>, settlement: Settlement<Result>): void {
    this.#bytes -= entry.bytes
    if (settlement.ok) entry.resolve(settlement.value)
    else entry.reject(settlement.error)
  }

  async #call(batch: Waiting<Item, Result>[]): Promise<void> {
    this.#calls++
    let settlements: Settlement<Result>[]
    try {
      settlements = await this.#options.send(batch.map(({ item }) => item))
    } catch (error) {
      settlements = batch.map(() => ({ ok: false, error }))
    }
    batch.forEach((entry, index) => {
      this.#settle(entry, settlements[index] ?? { ok: false, error: new Error('not in the answer') })
    })
    this.#calls--
    this.#flush()
  }

  #announceIdle(): void {
    if (this.#calls > 0 || this.#waiting.length > 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}
