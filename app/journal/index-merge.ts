import { type EventPosition, newestFirst } from '../activity/event-cursor.ts'
import { type IndexRange, IndexStream } from './index-stream.ts'
import type { JournalTable } from './journal-table.ts'

/** Partitions of one time span, which are read together. */
export interface IndexBlock {
  ranges: readonly IndexRange[]
  /** A position after all items of this block, and before the items of the next block. */
  end: EventPosition
}

/** Start and direction of a search. */
export interface SearchRange {
  start: EventPosition | undefined
  isNewestFirst: boolean
}

export interface IndexMergeOptions {
  table: JournalTable
  /** The blocks in reading order. They do not overlap. */
  blocks: Iterable<IndexBlock>
  isNewestFirst: boolean
  /** Number of items in the first query of each partition. */
  firstItems: number
  signal: AbortSignal
  /** Returns true to stop the search. Checked before each further block. */
  isOver: () => boolean
  /** True if `isOver` is also checked before each further query of a block. */
  mayStopInBlock: boolean
}

const QUERIES_AT_A_TIME = 16

/** Reads many partitions of an index as one list in order. */
export class IndexMerge<Item extends EventPosition> {
  readonly #options: IndexMergeOptions
  readonly #blocks: Iterator<IndexBlock>
  #streams: IndexStream<Item>[] = []
  #end: EventPosition | undefined
  #isStarted = false
  /** Everything before this position has been read; undefined at first. */
  reached: EventPosition | undefined
  /** True if `isOver` stopped the reading before the end. */
  isStopped = false

  constructor(options: IndexMergeOptions) {
    this.#options = options
    this.#blocks = options.blocks[Symbol.iterator]()
  }

  /**
   * Returns the next item; undefined at the end, or if `isOver` returns true.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async next(): Promise<Item | undefined> {
    const { table, isNewestFirst, firstItems, isOver, mayStopInBlock } = this.#options
    for (;;) {
      const needsQuery = this.#streams.some(({ isFilled }) => !isFilled)
      if (needsQuery && this.#isStarted && mayStopInBlock && isOver()) {
        this.isStopped = true
        return undefined
      }
      await this.#fill()
      this.#isStarted = true
      const first = this.#firstStream(isNewestFirst)
      if (first) {
        const item = first.head!
        first.skip()
        this.reached = item
        return item
      }
      this.reached = this.#end ?? this.reached
      const { value: block, done } = this.#blocks.next()
      if (done) return undefined
      if (this.#end && isOver()) {
        this.isStopped = true
        return undefined
      }
      this.#streams = block.ranges.map((range: IndexRange) => new IndexStream<Item>(table, range, firstItems))
      this.#end = block.end
      this.#isStarted = false
    }
  }

  async #fill(): Promise<void> {
    const waiting = this.#streams.filter(({ isFilled }) => !isFilled).values()
    const fillNext = async () => {
      for (const stream of waiting) await stream.fill(this.#options.signal)
    }
    await Promise.all(Array.from({ length: QUERIES_AT_A_TIME }, fillNext))
    this.#streams = this.#streams.filter(({ head }) => head !== undefined)
  }

  #firstStream(isNewestFirst: boolean): IndexStream<Item> | undefined {
    const sign = isNewestFirst ? 1 : -1
    let first: IndexStream<Item> | undefined
    for (const stream of this.#streams) {
      if (!first || newestFirst(stream.head!, first.head!) * sign < 0) first = stream
    }
    return first
  }
}
