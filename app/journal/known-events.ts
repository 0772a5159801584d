import { setTimeout as sleep } from 'node:timers/promises'
import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { JOURNAL, journalUnavailable } from './journal-table.ts'

/** DynamoDB's own limit for one call. */
const LARGEST_BATCH = 100

/** How often keys that DynamoDB left out, since it was too busy, are asked for again. */
const MAXIMUM_TRIES = 8

/**
 * Which of these events the journal knows, whatever became of them; read consistently, a hundred a call.
 *
 * @param pauseMs before the first further try, in milliseconds; twice as long before each other
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function knownEvents(
  ids: readonly string[],
  { client, tableName }: { client: DynamoDBDocumentClient; tableName: string },
  pauseMs = 50
): Promise<Set<string>> {
  const known = new Set<string>()
  const asked = [...new Set(ids)]
  for (let start = 0; start < asked.length; start += LARGEST_BATCH) {
    let keys = asked.slice(start, start + LARGEST_BATCH).map((id) => ({ [JOURNAL.partitionKey]: id }))
    for (let tries = 1; keys.length > 0; tries++) {
      const answer = await client
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
        .catch((error: unknown) => {
          throw journalUnavailable(error)
        })
      for (const items of Object.values(answer.Responses ?? {})) {
        for (const item of items) known.add(item[JOURNAL.partitionKey])
      }
      keys = Object.values(answer.UnprocessedKeys ?? {}).flatMap(({ Keys = [] }) => Keys) as typeof keys
      if (keys.length === 0) break
      if (tries === MAXIMUM_TRIES) throw journalUnavailable(new Error(`${keys.length} keys were not read`))
      await sleep(pauseMs * 2 ** (tries - 1))
    }
  }
  return known
}
