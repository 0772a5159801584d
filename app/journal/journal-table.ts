import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { ListenerError } from '../errors.ts'

export interface JournalTable {
  client: DynamoDBDocumentClient
  tableName: string
}

/** Retention of an event after its last write, in days. Must exceed the 14 days in each of the two queues. */
export const RETENTION_DAYS = 30

interface TableIndex {
  name: string
  partitionKey: string
  sortKey: string
  /** Projected attributes, beside the keys. */
  attributes: readonly string[]
}

/**
 * Schema of the table, locally and on AWS: one item per event; indexes by time, by asset, and of unfinished
 * events. The projection of an existing index cannot be changed.
 */
export const JOURNAL = {
  partitionKey: 'id',
  /** Unix time in seconds after which DynamoDB deletes the item. */
  timeToLive: 'expiresAt',
  feedIndex: {
    name: 'feed',
    /**
     * The day and a hexadecimal digit: a partition accepts 1,000 writes a second, so each day has 16
     * partitions.
     */
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
  },
  historyIndex: {
    name: 'history',
    /** The message group of an event; other items have a constant with a time. */
    partitionKey: 'historyKey',
    sortKey: 'receivedAt',
    /**
     * No attribute of an event, so that an event is written to this index once, not with every change of its
     * status.
     */
    attributes: ['counts', 'sample']
  },
  /** Index of unfinished events. An event that succeeds at the first attempt is never in it. */
  unfinishedIndex: {
    name: 'unfinished',
    /** `retrying` or `dead`, and a digit from 0 to 3. */
    partitionKey: 'unfinishedShard',
    sortKey: 'receivedAt',
    attributes: []
  }
} as const

/** All indexes, in the order in which they were introduced. */
export const JOURNAL_INDEXES: readonly TableIndex[] = [
  JOURNAL.feedIndex,
  JOURNAL.historyIndex,
  JOURNAL.unfinishedIndex
]

/** Number of partitions of the unfinished index for each status. */
export const UNFINISHED_SHARDS = 4

export const unfinishedPartition = (status: 'retrying' | 'dead', shard: number): string =>
  `${status}#${shard}`

/** Returns the partition of the unfinished index that an event is in. */
export const unfinishedShard = (status: 'retrying' | 'dead', eventId: string): string =>
  unfinishedPartition(status, Number.parseInt(eventId.slice(0, 1), 16) % UNFINISHED_SHARDS)

/** The first digit of an event's id decides its partition of the feed. */
export const FEED_DIGITS: readonly string[] = [...'0123456789abcdef']

/** Returns the partition of the feed index that an event is in. */
export function feedShard(eventId: string, receivedAt: string): string {
  return `${receivedAt.slice(0, 10)}#${eventId.slice(0, 1)}`
}

/** Returns the expiry of an item that is written now, in Unix seconds. */
export const expiryOf = (now: number, retentionDays: number): number =>
  Math.floor(now / 1000) + retentionDays * 86_400

/** Input of CreateTable. Time to live needs a request of its own. */
export function journalTableInput(tableName: string): CreateTableCommandInput {
  const { partitionKey } = JOURNAL
  const indexKeys = JOURNAL_INDEXES.flatMap((index) => [index.partitionKey, index.sortKey])
  const keys = new Set([partitionKey, ...indexKeys])
  return {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...keys].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: [{ AttributeName: partitionKey, KeyType: 'HASH' }],
    GlobalSecondaryIndexes: JOURNAL_INDEXES.map((index) => ({
      IndexName: index.name,
      KeySchema: [
        { AttributeName: index.partitionKey, KeyType: 'HASH' },
        { AttributeName: index.sortKey, KeyType: 'RANGE' }
      ],
      Projection:
        index.attributes.length === 0
          ? { ProjectionType: 'KEYS_ONLY' }
          : { ProjectionType: 'INCLUDE', NonKeyAttributes: [...index.attributes] }
    }))
  }
}

/** DynamoDB is unreachable or rejects the call. */
export const journalUnavailable = (cause: unknown): ListenerError =>
  new ListenerError('JOURNAL_UNAVAILABLE', 'the call to DynamoDB failed', { cause })

export const throwUnavailable = (cause: unknown): never => {
  throw journalUnavailable(cause)
}
