interface Waiter<T> {
  matches: (item: T) => boolean
  resolve: (item: T) => void
}

/** Records the newest items, and lets a caller wait for one. */
export class Recorder<T> {
  readonly items: T[] = []
  readonly #limit: number
  #waiters: Waiter<T>[] = []

  constructor(limit: number) {
    this.#limit = Math.max(1, limit)
  }

  /** Adds an item. Removes the oldest ones a tenth at a time, since each removal moves the whole list. */
  add(item: T): void {
    if (this.items.length >= this.#limit) this.items.splice(0, Math.ceil(this.#limit / 10))
    this.items.push(item)
  }

  /** Resolves the waiters that an item matches, after the item was added or changed. */
  settle(item: T): void {
    if (this.#waiters.length === 0) return
    const met = this.#waiters.filter((waiter) => waiter.matches(item))
    if (met.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter))
    for (const waiter of met) waiter.resolve(item)
  }

  /** Resolves with the first matching item, past or future. */
  async when(matches: (item: T) => boolean): Promise<T> {
    const known = this.items.find(matches)
    if (known !== undefined) return known
    return new Promise((resolve) => this.#waiters.push({ matches, resolve }))
  }
}
