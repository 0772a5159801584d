interface Waiter<T> {
  matches: (item: T) => boolean
  resolve: (item: T) => void
}

/** The last so many of what happened, and a latch for what has yet to happen. */
export class Recorder<T> {
  readonly items: T[] = []
  readonly #limit: number
  #waiters: Waiter<T>[] = []

  constructor(limit: number) {
    this.#limit = Math.max(1, limit)
  }

  /** Keeps an item. The oldest go a tenth at a time: one by one would move the whole list for each. */
  add(item: T): void {
    if (this.items.length >= this.#limit) this.items.splice(0, Math.ceil(this.#limit / 10))
    this.items.push(item)
  }

  /** Says that an item has become what waiters may be waiting for. */
  settle(item: T): void {
    if (this.#waiters.length === 0) return
    const met = this.#waiters.filter((waiter) => waiter.matches(item))
    if (met.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => !met.includes(waiter))
    for (const waiter of met) waiter.resolve(item)
  }

  /** Resolves with the first item that matches: at once if there is one already. */
  async when(matches: (item: T) => boolean): Promise<T> {
    const known = this.items.find(matches)
    if (known !== undefined) return known
    return new Promise((resolve) => this.#waiters.push({ matches, resolve }))
  }
}
