import { unlessAborted } from '../../unless-aborted.ts'

export interface CoalescerOptions<Item, Result> {
  /** Stores the items of a batch. Its result or error is that of each item. */
  store: (items: readonly Item[]) => Promise<Result>
  /** Maximum time from the first item of a batch until it is stored, in milliseconds. */
  windowMs: number
  /** A batch with this many items is stored at once. */
  maximumItems: number
  /** A batch of this size is stored at once, in characters. */
  maximumSize: number
  sizeOf: (item: Item) => number
  /** Calls `tick` once, after a delay. Returns a function that cancels it. */
  startTimer?: (milliseconds: number, tick: () => void) => () => void
}

interface Batch<Item, Result> {
  items: Item[]
  size: number
  stored: PromiseWithResolvers<Result>
  cancel: () => void
}

/**
 * Collects items that arrive within a window and stores them together. Unlike `Batcher`, it waits although nothing
 * is in flight: fewer and larger objects are worth a delay.
 */
export class Coalescer<Item, Result> {
  readonly #options: Required<CoalescerOptions<Item, Result>>
  #batch: Batch<Item, Result> | undefined

  constructor(options: CoalescerOptions<Item, Result>) {
    this.#options = { startTimer, ...options }
  }

  /**
   * Resolves when the batch of the item is stored.
   *
   * @param signal if it aborts, this rejects at once; the item may be stored all the same
   */
  add(item: Item, signal: AbortSignal): Promise<Result> {
    const { windowMs, maximumItems, maximumSize, sizeOf, startTimer: start } = this.#options
    this.#batch ??= {
      items: [],
      size: 0,
      stored: Promise.withResolvers(),
      cancel: start(windowMs, () => this.flush())
    }
    const { items, stored } = this.#batch
    items.push(item)
    this.#batch.size += sizeOf(item)
    if (items.length >= maximumItems || this.#batch.size >= maximumSize) this.flush()
    return unlessAborted(stored.promise, signal)
  }

  /** Stores the batch now. */
  flush(): void {
    const batch = this.#batch
    if (!batch) return
    this.#batch = undefined
    batch.cancel()
    this.#options.store(batch.items).then(batch.stored.resolve, batch.stored.reject)
    // each item may have been aborted
    batch.stored.promise.catch(() => {})
  }
}

function startTimer(milliseconds: number, tick: () => void): () => void {
  const timer = setTimeout(tick, milliseconds)
  return () => clearTimeout(timer)
}
