import type { AssetKey, FeedPosition, StateKey } from './change-cursor.ts'

/** A reported state of an asset, and when it was written. */
type ReportedState = readonly [asset: AssetKey, state: StateKey, writtenAt: number]

/** `writtenAt` of a state that is from the cursor, and that this reading has not found yet. */
const NOT_FOUND_YET = Number.POSITIVE_INFINITY

/** The log is compacted when it reaches twice its compacted length plus this. */
const LOG_SLACK = 1000

/** The index and its queries use whole seconds. */
const SECOND_MS = 1000

/**
 * Tracks how far an index was read. The index may show changes late, so this keeps the states that were
 * reported, and the time before which nothing more can appear. Assets are read in the order in which they were
 * written. Times are milliseconds since the epoch.
 */
export class FeedProgress {
  readonly #since: number
  #settled: number
  /** The reading has reached changes so recent that the index may still add others before them. */
  #isUnsettled = false
  /**
   * All reports in order; the last one of an asset counts. Replaced, never shortened: positions refer to it.
   */
  #log: ReportedState[]
  #latest: Map<AssetKey, ReportedState>
  #compactAt: number

  constructor({ since, settled, reported }: FeedPosition) {
    this.#since = since
    this.#settled = settled
    this.#log = [...reported].map(([asset, state]) => [asset, state, NOT_FOUND_YET])
    this.#latest = new Map(this.#log.map((entry) => [entry[0], entry]))
    this.#compactAt = 2 * this.#log.length + LOG_SLACK
  }

  /** Starts a reading. @returns the time to read from */
  start(): number {
    this.#isUnsettled = false
    return this.#settled
  }

  /**
   * Records that the reading has reached an asset.
   *
   * @param writtenAt when the asset was written
   * @param certainUntil the index was complete up to this time when the page was requested
   */
  reach(writtenAt: number, certainUntil: number): void {
    if (this.#isUnsettled) return
    this.#isUnsettled = writtenAt > certainUntil
    const settled = Math.floor(Math.min(writtenAt, certainUntil) / SECOND_MS) * SECOND_MS
    this.#settled = Math.max(this.#settled, settled)
  }

  /**
   * Records that the reading has reached the end of the index. Drops states from the cursor that it did not
   * find.
   */
  end(certainUntil: number): void {
    this.reach(Number.POSITIVE_INFINITY, certainUntil)
    for (const [asset, [, , writtenAt]] of this.#latest) {
      if (writtenAt === NOT_FOUND_YET) this.#latest.delete(asset)
    }
    this.#compact()
  }

  /** Records the state of an asset. @returns whether it differs from the one reported last */
  report(asset: AssetKey, state: StateKey, writtenAt: number): boolean {
    const last = this.#latest.get(asset)
    const isNew = last?.[1] !== state
    if (!isNew && last?.[2] === writtenAt) return false
    const entry = [asset, state, writtenAt] as const
    this.#latest.delete(asset)
    this.#latest.set(asset, entry)
    this.#log.push(entry)
    if (this.#log.length >= this.#compactAt) this.#compact()
    return isNew
  }

  /** Returns a function that builds the current position. It stays valid while the reading continues. */
  position(): () => FeedPosition {
    const log = this.#log
    const { length } = log
    const since = this.#since
    const settled = this.#settled
    return () => {
      const reported = new Map<AssetKey, StateKey>()
      for (const [asset, state, writtenAt] of log.slice(0, length)) {
        reported.delete(asset)
        if (writtenAt >= settled) reported.set(asset, state)
      }
      return { since, settled, reported }
    }
  }

  #compact(): void {
    for (const [asset, [, , writtenAt]] of this.#latest) {
      if (writtenAt < this.#settled) this.#latest.delete(asset)
    }
    this.#log = [...this.#latest.values()]
    this.#compactAt = 2 * this.#log.length + LOG_SLACK
  }
}
