import type { Asset, EventType } from '../ingest/event.ts'
import { readAssetHistory, type Trace } from './asset-history.ts'
import type { TimeRange } from './feed.ts'
import { type JournaledEvent, readEvent } from './journal-entry.ts'
import { type JournalTable, throwUnavailable } from './journal-table.ts'
import { knownEvents } from './known-events.ts'
import { NotifiedChanges } from './notified-changes.ts'
import { startedThrough } from './started-events.ts'

/**
 * The data of the journal that commands and pages read; the worker uses `Journal`. All methods throw a
 * ListenerError with code JOURNAL_UNAVAILABLE if DynamoDB fails.
 */
export class JournalReader {
  readonly #table: JournalTable

  constructor(table: JournalTable) {
    this.#table = table
  }

  /** Returns an event with its payload, or undefined if the journal does not know it. */
  find(eventId: string): Promise<JournaledEvent | undefined> {
    return readEvent(this.#table, eventId).catch(throwUnavailable)
  }

  /** Returns those of the given ids that the journal knows. */
  knownEvents(ids: readonly string[]): Promise<Set<string>> {
    return knownEvents(ids, this.#table)
  }

  /** Returns the events of some assets in some time ranges. Reads the whole feed of the ranges. */
  assetHistory(
    environment: string,
    assets: readonly Asset[],
    ranges: readonly TimeRange[]
  ): Promise<(asset: Asset) => Trace[]> {
    return readAssetHistory(environment, assets, ranges, this.#table)
  }

  /**
   * Returns a sliding window over the changes of the given types that were notified. Reads the feed as
   * needed.
   */
  notifiedChanges(environment: string, types: readonly EventType[]): NotifiedChanges {
    return new NotifiedChanges(this.#table, environment, types)
  }

  /** Returns the time up to which every event was started. Undefined if the feed does not show it. */
  startedThrough(range: TimeRange): Promise<number | undefined> {
    return startedThrough(this.#table, range)
  }
}
