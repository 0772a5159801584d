import type { RunOrigin } from '../ingest/event.ts'
import { readEntry } from './journal-entry.ts'
import { expiryOf, JOURNAL, type JournalTable, RETENTION_DAYS, throwUnavailable } from './journal-table.ts'
import { cutTexts } from './processor-record.ts'
import { updateItem } from './update-item.ts'

/** Why a dead event was discarded, by whom and when. */
export interface DiscardRecord extends RunOrigin {
  reason: string
}

/**
 * The attributes that a discard writes. IAM allows the activity role to write no other attributes of an
 * event.
 */
export const DISCARD_ATTRIBUTES = [
  JOURNAL.partitionKey,
  JOURNAL.timeToLive,
  JOURNAL.unfinishedIndex.partitionKey,
  'status',
  'attemptId',
  'discarded'
] as const

/**
 * Marks a dead event as discarded, and removes it from the unfinished events. The ledger is unchanged: the
 * records of the processors, the attempt and the run. The write is conditional on the last attempt, so it
 * does not change an event that runs again. The write can be repeated, because the SDK may lose a response.
 *
 * @returns false if the event is not dead, or is unknown
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function discardEvent(
  table: JournalTable,
  eventId: string,
  discard: DiscardRecord,
  now = Date.now()
): Promise<boolean> {
  const entry = await readEntry(table, eventId).catch(throwUnavailable)
  if (entry?.status === 'discarded') return true
  if (entry?.status !== 'dead' || entry.attemptId === undefined) return false
  return updateItem(
    table,
    eventId,
    {
      status: { set: 'discarded' },
      discarded: { set: cutTexts(discard) },
      [JOURNAL.unfinishedIndex.partitionKey]: 'remove',
      [JOURNAL.timeToLive]: { set: expiryOf(now, RETENTION_DAYS) }
    },
    {
      expression: '#status IN (:dead, :isDiscarded) AND #attemptId = :lastAttempt',
      names: { '#status': 'status', '#attemptId': 'attemptId' },
      values: { ':dead': 'dead', ':isDiscarded': 'discarded', ':lastAttempt': entry.attemptId }
    }
  ).catch(throwUnavailable)
}
