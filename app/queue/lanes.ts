/** An item of a lane. */
export interface LaneItem {
  /** The SQS message group: one asset. */
  group: string
  bytes: number
}

export interface LanesOptions<Item> {
  /** Runs an item. Resolves to false if the later items of the lane must not run before it is redelivered. */
  run: (item: Item) => Promise<boolean>
  /** Returns an item that has not run to the queue. Resolves when SQS has answered. */
  release: (item: Item) => Promise<void>
  /** Maximum total size of the items that wait behind another one of their group, in bytes. */
  maximumWaitingBytes: number
  /** Called when a lane ends. */
  onEnd: () => void
}

/**
 * One lane per message group: the items of a lane run in order, lanes run in parallel. When an item fails,
 * the later ones of its lane are released.
 *
 * SQS delivers no message of a group while another message of that group is in flight. So no other worker
 * could run an item that waits here, and a released item is not redelivered before those that are still held.
 * Source:
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */
export class Lanes<Item extends LaneItem> {
  readonly #options: LanesOptions<Item>
  /** The lanes by group. The first item of each is running. */
  readonly #lanes = new Map<string, Item[]>()
  readonly #running = new Set<Promise<unknown>>()
  #waitingBytes = 0

  constructor(options: LanesOptions<Item>) {
    this.#options = options
  }

  /** Number of lanes. Each has one running item. */
  get size(): number {
    return this.#lanes.size
  }

  /** Returns whether an item waits behind the running one of this group. */
  hasWaiting(group: string): boolean {
    return this.#lanes.get(group)!.length > 1
  }

  /** Running and waiting items. */
  get items(): Item[] {
    return [...this.#lanes.values()].flat()
  }

  /**
   * Adds the items of one receive. Items that exceed the waiting limit are released, with all later items of
   * their group: keeping those would change the order.
   */
  add(items: readonly Item[]): void {
    const full = new Set<string>()
    for (const item of items) {
      const lane = this.#lanes.get(item.group)
      if (!lane) {
        this.#start(item)
      } else if (
        full.has(item.group) ||
        this.#waitingBytes + item.bytes > this.#options.maximumWaitingBytes
      ) {
        full.add(item.group)
        this.#track(this.#options.release(item))
      } else {
        lane.push(item)
        this.#waitingBytes += item.bytes
      }
    }
  }

  /** Resolves when all current items have run or are released. */
  async idle(): Promise<void> {
    await Promise.all(this.#running)
  }

  #start(item: Item): void {
    const lane = [item]
    this.#lanes.set(item.group, lane)
    this.#track(this.#runLane(item.group, lane))
  }

  #track(running: Promise<unknown>): void {
    this.#running.add(running)
    void running.finally(() => this.#running.delete(running))
  }

  async #runLane(group: string, lane: Item[]): Promise<void> {
    // an item stays in its lane while it runs, so that items added in the meantime wait behind it
    for (let item = lane[0]; item; item = lane[0]) {
      const mayContinue = await this.#options.run(item)
      lane.shift()
      if (!mayContinue) await this.#releaseAll(lane)
      this.#waitingBytes -= lane[0]?.bytes ?? 0
    }
    this.#lanes.delete(group)
    this.#options.onEnd()
  }

  /**
   * Releases the waiting items. Keeps those that are added in the meantime: SQS delivered them after the
   * failure, so they are next.
   */
  async #releaseAll(lane: Item[]): Promise<void> {
    const items = lane.splice(0)
    for (const { bytes } of items) this.#waitingBytes -= bytes
    await Promise.all(items.map(this.#options.release))
  }
}
