import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { ListenerError } from '../errors.ts'

export interface JournalTable {
  client: DynamoDBDocumentClient
  tableName: string
}

/** How long an event is kept after its last write, in days: more than 14 in each of the two queues. */
export const RETENTION_DAYS = 30

/** Schema of the table, locally and on AWS: one item per event, and an index by time. */
export const JOURNAL = {
  partitionKey: 'id',
  /** Unix time in seconds after which DynamoDB deletes the item. */
  timeToLive: 'expiresAt',
  feedIndex: {
    name: 'feed',
    /** The day and a hexadecimal digit: a partition accepts 1,000 writes a second, so a day has 16. */
    partitionKey: 'feedShard',
    /** ISO 8601. */
    sortKey: 'receivedAt',
    /** All attributes except the payload, which is large. */
    attributes: [
      'type',
      'notificationType',
      'environment',
      'asset',
      'origin',
      'occurredAt',
      'startedAt',
      'finishedAt',
      'status',
      'reason',
      'attempts',
      'processors',
      'lastError',
      'payloadOmitted',
      'run',
      'traceId'
    ]
  }
} as const

/** Returns the partition of the feed index that an event is in. */
export function feedShard(eventId: string, receivedAt: string): string {
  return `${receivedAt.slice(0, 10)}#${eventId.slice(0, 1)}`
}

/** Returns the expiry of an item that is written now, in Unix seconds. */
export const expiryOf = (now: number, retentionDays: number): number =>
  Math.floor(now / 1000) + retentionDays * 86_400

/** Input of CreateTable. Time to live needs a request of its own. */
export function journalTableInput(tableName: string): CreateTableCommandInput {
  const { partitionKey, feedIndex } = JOURNAL
  const keys = [partitionKey, feedIndex.partitionKey, feedIndex.sortKey]
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: [{ AttributeName: partitionKey, KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [
      {
        IndexName: feedIndex.name,
        KeySchema: [
          { AttributeName: feedIndex.partitionKey, KeyType: 'HASH' },
          { AttributeName: feedIndex.sortKey, KeyType: 'RANGE' }
        ],
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: [...feedIndex.attributes] }
      }
    ]
  }
}

/** DynamoDB is unreachable or rejects the call. */
export const journalUnavailable = (cause: unknown): ListenerError =>
  new ListenerError('JOURNAL_UNAVAILABLE', 'the call to DynamoDB failed', { cause })

export const throwUnavailable = (cause: unknown): never => {
  throw journalUnavailable(cause)
}
