import { setTimeout as sleep } from 'node:timers/promises'
import { BatchGetCommand } from '@aws-sdk/lib-dynamodb'
import { JOURNAL, type JournalTable, journalUnavailable, throwUnavailable } from './journal-table.ts'

/** Maximum number of keys per call (limit of DynamoDB). */
const MAX_BATCH = 100

/** Maximum number of attempts for keys that DynamoDB leaves unprocessed under load. */
const MAX_ATTEMPTS = 8

/**
 * Returns those of the given ids that the journal knows. Reads with strong consistency, 100 ids per call.
 *
 * @param pauseMs pause before the first retry, in milliseconds; doubles with each
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function knownEvents(
  ids: readonly string[],
  { client, tableName }: JournalTable,
  pauseMs = 50
): Promise<Set<string>> {
  const known = new Set<string>()
  const uniqueIds = [...new Set(ids)]
  for (let start = 0; start < uniqueIds.length; start += MAX_BATCH) {
    let keys = uniqueIds.slice(start, start + MAX_BATCH).map((id) => ({ [JOURNAL.partitionKey]: id }))
    for (let attempt = 1; keys.length > 0; attempt++) {
      const response = await client
        .send(
          new BatchGetCommand({
            RequestItems: {
              [tableName]: {
                Keys: keys,
                ConsistentRead: true,
                ProjectionExpression: '#id',
                ExpressionAttributeNames: { '#id': JOURNAL.partitionKey }
              }
            }
          })
        )
        .catch(throwUnavailable)
      for (const items of Object.values(response.Responses ?? {})) {
        for (const item of items) known.add(item[JOURNAL.partitionKey])
      }
      keys = Object.values(response.UnprocessedKeys ?? {}).flatMap(({ Keys = [] }) => Keys) as typeof keys
      if (keys.length === 0) break
      if (attempt === MAX_ATTEMPTS)
        throw journalUnavailable(new Error(`${keys.length} keys are still unprocessed`))
      await sleep(pauseMs * 2 ** (attempt - 1))
    }
  }
  return known
}
