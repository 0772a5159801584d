import type { Asset, EventType } from '../ingest/event.ts'
import { keysOf, type Trace } from './asset-history.ts'
import { type JournalTable, readFeed } from './feed.ts'

/** What the feed says of a notified change of an asset. */
export type Notified = Pick<Trace, 'type' | 'occurredAt' | 'own'>

const MINUTE_MS = 60_000

/**
 * The changes of one cloud that were notified in some minutes. It holds the minutes that were loaded last, and no others,
 * so that a caller that goes through weeks in the order of time reads each minute once and holds few.
 */
export class NotifiedChanges {
  readonly #table: JournalTable
  readonly #environment: string
  readonly #types: readonly EventType[]
  /** By the minute of receipt, then by asset. */
  #minutes = new Map<number, Map<string, Notified[]>>()

  /** @param types of the events to hold */
  constructor(table: JournalTable, environment: string, types: readonly EventType[]) {
    this.#table = table
    this.#environment = environment
    this.#types = types
  }

  /**
   * Loads what was received from one time to another, except for what is held already, and releases the rest.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async load(from: number, until: number): Promise<void> {
    const minutes = new Map<number, Map<string, Notified[]>>()
    const missing: { from: number; until: number }[] = []
    for (let minute = minuteOf(from); minute <= until; minute += MINUTE_MS) {
      const held = this.#minutes.get(minute)
      minutes.set(minute, held ?? new Map())
      if (held) continue
      const last = missing.at(-1)
      if (last && last.until + 1 === minute) last.until += MINUTE_MS
      else missing.push({ from: minute, until: minute + MINUTE_MS - 1 })
    }
    for (const range of missing) {
      await readFeed(
        this.#table,
        range,
        ['type', 'environment', 'asset', 'origin', 'occurredAt'],
        ({ type, environment, asset, origin, occurredAt, receivedAt }) => {
          if (environment !== this.#environment || !asset || !this.#types.includes(type)) return
          const byAsset = minutes.get(minuteOf(Date.parse(receivedAt)))!
          const [key = ''] = keysOf(asset)
          const change = { type, occurredAt: Date.parse(occurredAt), own: origin.own }
          byAsset.set(key, [...(byAsset.get(key) ?? []), change])
        }
      )
    }
    this.#minutes = minutes
  }

  /** The changes of an asset, including those that have its public id and no asset id. */
  of(asset: Asset): Notified[] {
    const keys = keysOf(asset)
    return [...this.#minutes.values()].flatMap((byAsset) => keys.flatMap((key) => byAsset.get(key) ?? []))
  }
}

const minuteOf = (time: number) => time - (time % MINUTE_MS)
