import type { Asset, EventType } from '../ingest/event.ts'
import { keysOf, type Trace } from './asset-history.ts'
import { readFeed } from './feed.ts'
import type { JournalTable } from './journal-table.ts'

/** A change of an asset that Cloudinary has notified of. */
export type NotifiedChange = Pick<Trace, 'type' | 'occurredAt' | 'own'>

const MINUTE_MS = 60_000

/**
 * A sliding window over the notified changes of one environment. It keeps the range that was loaded last, so
 * a caller that moves through weeks in order reads each minute once and keeps few minutes in memory.
 */
export class NotifiedChanges {
  readonly #table: JournalTable
  readonly #environment: string
  readonly #types: readonly EventType[]
  /** Changes by the minute of receipt, then by asset. */
  #minutes = new Map<number, Map<string, NotifiedChange[]>>()

  /** @param types the event types to keep */
  constructor(table: JournalTable, environment: string, types: readonly EventType[]) {
    this.#table = table
    this.#environment = environment
    this.#types = types
  }

  /**
   * Moves the window to a time range. Reads only the minutes that it does not have yet.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async load(from: number, until: number): Promise<void> {
    const minutes = new Map<number, Map<string, NotifiedChange[]>>()
    const missing: { from: number; until: number }[] = []
    for (let minute = minuteOf(from); minute <= until; minute += MINUTE_MS) {
      const loaded = this.#minutes.get(minute)
      minutes.set(minute, loaded ?? new Map())
      if (loaded) continue
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

  /** Returns the changes of an asset, including changes that have its public id but no asset id. */
  of(asset: Asset): NotifiedChange[] {
    const keys = keysOf(asset)
    return [...this.#minutes.values()].flatMap((byAsset) => keys.flatMap((key) => byAsset.get(key) ?? []))
  }
}

const minuteOf = (time: number) => time - (time % MINUTE_MS)
