import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import { ListenerError } from '../errors.ts'

/**
 * The journal's table: one item for each event, by its id; and an index of all events by time, for the activity
 * feed. What creates it, here and on AWS, reads this.
 */
export const JOURNAL = {
  partitionKey: 'id',
  /** Unix time in seconds after which DynamoDB deletes the item. */
  timeToLive: 'expiresAt',
  feedIndex: {
    name: 'feed',
    /** The day and one hexadecimal digit: an index partition takes 1,000 writes a second, so a day has 16. */
    partitionKey: 'feedShard',
    /** ISO 8601. */
    sortKey: 'receivedAt',
    /** Everything but the payload, which is what makes an item large. */
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

/** The partition of the feed index that an event is in. */
export function feedShard(eventId: string, receivedAt: string): string {
  return `${receivedAt.slice(0, 10)}#${eventId.slice(0, 1)}`
}

/** What DynamoDB is asked for to create the table; time to live is turned on by a request of its own. */
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

/** DynamoDB cannot be reached, or refuses. */
export const journalUnavailable = (cause: unknown): ListenerError =>
  new ListenerError('JOURNAL_UNAVAILABLE', 'DynamoDB has not done what the journal asked of it', { cause })
