import { gunzipSync } from 'node:zlib'
import { GetCommand } from '@aws-sdk/lib-dynamodb'
import type { AssetEvent } from '../ingest/event.ts'
import type { PastAttempt } from './attempt-history.ts'
import { JOURNAL, type JournalTable } from './journal-table.ts'
import { completeRecords, type ProcessorRecords } from './processor-record.ts'
import type { ReplayRecord } from './replay-record.ts'

/**
 * `retrying` waits for its next attempt; `done`, `ignored`, `dead` and `discarded` are final. `discarded`: it
 * was dead, and a user deleted its dead letter.
 */
export type Status = 'processing' | 'retrying' | 'done' | 'ignored' | 'dead' | 'discarded'

export const UNFINISHED: readonly Status[] = ['processing', 'retrying']

/** What the journal knows of an event, without its payload. */
export interface JournalEntry {
  status: Status
  /** Number of attempts, including those that did not count. */
  attempts: number
  processors: ProcessorRecords
  /** The last redrive or replay that reopened the event. */
  run?: string
  /** The last replays and redrives that reopened the event, oldest first. */
  replays?: readonly ReplayRecord[]
  /** When the event was first started, or reopened by a redrive or replay; ISO 8601, UTC. */
  openedAt?: string
  /** Id of the last attempt. */
  attemptId?: string
  /** When the last attempt started; ISO 8601, UTC. Releases before 0.3.0 did not record it. */
  attemptStartedAt?: string
  /** The attempts before the last one, oldest first. */
  history?: readonly PastAttempt[]
  /** When the first delivery of the event was signed. Set only if its body states no time. */
  signedAt?: string
  /** The newest later change that was reported with the same body. */
  later?: { id: string; signedAt: string }
}

/** An event as the journal stores it. */
export interface JournaledEvent extends JournalEntry {
  /** Undefined if the event was too large to keep. */
  event: AssetEvent | undefined
}

/** An ignored event has no attempts. */
type StoredEntry = Pick<JournalEntry, 'status'> & Partial<JournalEntry> & { payload?: Uint8Array }

/** Reads an event with strong consistency. Returns undefined if the journal does not know it. */
export async function readEntry(table: JournalTable, eventId: string): Promise<JournalEntry | undefined> {
  const item = await getItem(table, eventId)
  return item && entryOf(item)
}

/** Reads an event with its payload. Returns undefined if the journal does not know it. */
export async function readEvent(table: JournalTable, eventId: string): Promise<JournaledEvent | undefined> {
  const item = await getItem(table, eventId)
  return item && { ...entryOf(item), event: item.payload && JSON.parse(gunzipSync(item.payload).toString()) }
}

async function getItem({ client, tableName }: JournalTable, eventId: string) {
  const Key = { [JOURNAL.partitionKey]: eventId }
  const { Item } = await client.send(new GetCommand({ TableName: tableName, Key, ConsistentRead: true }))
  // other items have ids of another form, and no status
  return Item?.status === undefined ? undefined : (Item as StoredEntry)
}

function entryOf(item: StoredEntry): JournalEntry {
  const { status, attempts = 0, processors = {}, run, openedAt, attemptId, signedAt, later } = item
  const { attemptStartedAt, history, replays } = item
  return {
    status,
    attempts,
    processors: completeRecords(processors),
    ...(run && { run }),
    ...(openedAt && { openedAt }),
    ...(attemptId && { attemptId }),
    ...(attemptStartedAt && { attemptStartedAt }),
    ...(history && { history }),
    ...(replays && { replays }),
    ...(signedAt && { signedAt }),
    ...(later && { later })
  }
}
