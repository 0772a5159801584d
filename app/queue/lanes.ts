/** A message as far as lanes need to know it. */
export interface LaneItem {
  /** The SQS message group: one asset. */
  group: string
  bytes: number
}

export interface LanesOptions<Item> {
  /** Resolves to false when the later items of the lane must not run before this one is redelivered. */
  run: (item: Item) => Promise<boolean>
  /** Returns an item to the queue that has not run. Resolves when SQS has answered. */
  release: (item: Item) => Promise<void>
  /** Maximum size of the items that wait behind another one of their group, all together, in bytes. */
  maximumWaitingBytes: number
  /** Called when a lane ends. */
  onEnd: () => void
}

/**
 * One lane for each message group: the items of a lane run one after the other, lanes run side by side. When an item
 * fails, the later ones of its lane are released.
 *
 * SQS hands out nothing of a group while a message of it is in flight. So an item that waits keeps nobody else from
 * running it, and one that is released stays behind those that are still held.
 * Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */
export class Lanes<Item extends LaneItem> {
  readonly #options: LanesOptions<Item>
  /** The first item of each lane is running. */
  readonly #lanes = new Map<string, Item[]>()
  readonly #running = new Set<Promise<unknown>>()
  #waitingBytes = 0

  constructor(options: LanesOptions<Item>) {
    this.#options = options
  }

  /** Number of lanes, each of which has one item running. */
  get size(): number {
    return this.#lanes.size
  }

  /** Items that run or wait. */
  get items(): Item[] {
    return [...this.#lanes.values()].flat()
  }

  /**
   * Adds what one receive brought. What may not wait for lack of room is released, and with it all that is behind it in its
   * group: to keep those would change their order.
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

  /** Resolves when all items that are here now have run or are released. */
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
    // an item stays in its lane while it runs, so that one that is received meanwhile waits behind it
    for (let item = lane[0]; item; item = lane[0]) {
      const mayContinue = await this.#options.run(item)
      lane.shift()
      if (!mayContinue) await this.#releaseAll(lane)
      this.#waitingBytes -= lane[0]?.bytes ?? 0
    }
    this.#lanes.delete(group)
    this.#options.onEnd()
  }

  /** What is added meanwhile stays: SQS has handed it out after the failure, so nothing is before it. */
  async #releaseAll(lane: Item[]): Promise<void> {
    const items = lane.splice(0)
    for (const { bytes } of items) this.#waitingBytes -= bytes
    await Promise.all(items.map(this.#options.release))
  }
}
