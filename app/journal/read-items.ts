import { setTimeout as sleep } from 'node:timers/promises'
import { BatchGetCommand } from '@aws-sdk/lib-dynamodb'
import type { StoredEvent } from './activity-items.ts'
import { throwUnlessAborted } from './index-stream.ts'
import { JOURNAL, type JournalTable, journalUnavailable } from './journal-table.ts'

/** Maximum number of keys per call (limit of DynamoDB). */
const MAX_BATCH = 100

/** Maximum number of attempts for unprocessed keys. A response of DynamoDB has at most 16 MB. */
const MAX_ATTEMPTS = 8
const PAUSE_MS = 25

/**
 * Reads whole events by id. Omits expired events, and items that are not events.
 *
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function readItems(
  table: JournalTable,
  ids: readonly string[],
  signal: AbortSignal
): Promise<Map<string, StoredEvent>> {
  const batches = Array.from({ length: Math.ceil(ids.length / MAX_BATCH) }, (_, index) =>
    ids.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH)
  )
  const items = await Promise.all(batches.map((batch) => readBatch(table, batch, signal)))
  return new Map(
    items
      .flat()
      .filter(({ status }) => status !== undefined)
      .map((item) => [item.id, item])
  )
}

async function readBatch({ client, tableName }: JournalTable, ids: readonly string[], signal: AbortSignal) {
  const items: StoredEvent[] = []
  let keys: Record<string, unknown>[] = ids.map((id) => ({ [JOURNAL.partitionKey]: id }))
  for (let attempt = 1; keys.length > 0; attempt++) {
    if (attempt > MAX_ATTEMPTS) throw journalUnavailable(new Error(`${keys.length} keys are unprocessed`))
    if (items.length > 0 || attempt > 1) await sleep(PAUSE_MS * 2 ** (attempt - 2))
    const response = await client
      .send(new BatchGetCommand({ RequestItems: { [tableName]: { Keys: keys } } }), { abortSignal: signal })
      .catch(throwUnlessAborted(signal))
    items.push(...((response.Responses?.[tableName] ?? []) as StoredEvent[]))
    keys = response.UnprocessedKeys?.[tableName]?.Keys ?? []
  }
  return items
}
