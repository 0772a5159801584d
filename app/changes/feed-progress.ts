import type { AssetKey, Position, StateKey } from './change-cursor.ts'

/** That a state of an asset was told, and when it was written. */
type Told = readonly [asset: AssetKey, state: StateKey, writtenAt: number]

/** What an earlier reading told, and this one has not met yet. */
const NOT_MET = Number.POSITIVE_INFINITY

/** The log is brought to its essence when it is twice as long, and so much. */
const LOG_SLACK = 1000

/** Index and query know seconds. */
const SECOND_MS = 1000

/**
 * How far a reading of the index has come, while the index still lags behind: what has been told, and up to when nothing
 * more can come. Assets are read in the order in which they were written; all times are milliseconds since the epoch.
 */
export class Progress {
  readonly #since: number
  #settled: number
  /** Set once the reading has come to where the index may still change: there, passing by proves nothing. */
  #isOpen = false
  /** Every telling, in order; the last of an asset counts. Replaced rather than shortened: positions refer to it. */
  #log: Told[]
  #latest: Map<AssetKey, Told>
  #essenceAt: number

  constructor({ since, settled, told }: Position) {
    this.#since = since
    this.#settled = settled
    this.#log = [...told].map(([asset, state]) => [asset, state, NOT_MET])
    this.#latest = new Map(this.#log.map((entry) => [entry[0], entry]))
    this.#essenceAt = 2 * this.#log.length + LOG_SLACK
  }

  /** A reading begins. @returns where */
  begin(): number {
    this.#isOpen = false
    return this.#settled
  }

  /**
   * The reading has come to an asset.
   *
   * @param writtenAt when that was written
   * @param certainUntil what was written up to then was in the index when the page was asked for
   */
  reach(writtenAt: number, certainUntil: number): void {
    if (this.#isOpen) return
    this.#isOpen = writtenAt > certainUntil
    const settled = Math.floor(Math.min(writtenAt, certainUntil) / SECOND_MS) * SECOND_MS
    this.#settled = Math.max(this.#settled, settled)
  }

  /** The reading has come to the end of the index. What was told before, and it has not met, is forgotten. */
  end(certainUntil: number): void {
    this.reach(Number.POSITIVE_INFINITY, certainUntil)
    for (const [asset, [, , writtenAt]] of this.#latest) if (writtenAt === NOT_MET) this.#latest.delete(asset)
    this.#keepEssence()
  }

  /** Notes that a state of an asset is told. @returns whether it is new: not the one that was told last */
  tell(asset: AssetKey, state: StateKey, writtenAt: number): boolean {
    const last = this.#latest.get(asset)
    const isNew = last?.[1] !== state
    if (!isNew && last?.[2] === writtenAt) return false
    const entry = [asset, state, writtenAt] as const
    this.#latest.delete(asset)
    this.#latest.set(asset, entry)
    this.#log.push(entry)
    if (this.#log.length >= this.#essenceAt) this.#keepEssence()
    return isNew
  }

  /** Where the reading is now. The position is put together when it is asked for; it costs next to nothing before. */
  position(): () => Position {
    const log = this.#log
    const { length } = log
    const since = this.#since
    const settled = this.#settled
    return () => {
      const told = new Map<AssetKey, StateKey>()
      for (const [asset, state, writtenAt] of log.slice(0, length)) {
        told.delete(asset)
        if (writtenAt >= settled) told.set(asset, state)
      }
      return { since, settled, told }
    }
  }

  #keepEssence(): void {
    for (const [asset, [, , writtenAt]] of this.#latest) {
      if (writtenAt < this.#settled) this.#latest.delete(asset)
    }
    this.#log = [...this.#latest.values()]
    this.#essenceAt = 2 * this.#log.length + LOG_SLACK
  }
}
