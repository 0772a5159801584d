import { QueryCommand } from '@aws-sdk/lib-dynamodb'
import type { Asset, EventType, Origin } from '../ingest/event.ts'
import type { Status } from './journal-entry.ts'
import { FEED_DIGITS, feedShard, JOURNAL, type JournalTable, throwUnavailable } from './journal-table.ts'
import type { ProcessorRecords } from './processor-record.ts'

/** A time range including both ends, in milliseconds since the epoch. */
export interface TimeRange {
  from: number
  until: number
}

/** An event in the feed. */
export interface FeedItem {
  type: EventType
  environment: string
  asset?: Asset | null
  origin: Origin
  occurredAt: string
  receivedAt: string
  startedAt?: string
  finishedAt?: string
  status: Status
  processors?: ProcessorRecords
}

/** Each page is up to 1 MB. */
const SHARDS_AT_A_TIME = 4

const DAY_MS = 86_400_000

/**
 * Calls `visit` with each event that was received in a time range, in no particular order. The index is
 * eventually consistent: events of the last second may be missing.
 *
 * @param attributes the attributes to read, beside `receivedAt`
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function readFeed<Name extends keyof FeedItem>(
  table: JournalTable,
  { from, until }: TimeRange,
  attributes: readonly Name[],
  visit: (item: Pick<FeedItem, Name | 'receivedAt'>) => void
): Promise<void> {
  for (let day = from - (from % DAY_MS); day <= until; day += DAY_MS) {
    const range = { from: Math.max(from, day), until: Math.min(until, day + DAY_MS - 1) }
    const digits = FEED_DIGITS.values()
    const readNext = async () => {
      for (const digit of digits)
        await readShard(table, feedShard(digit, isoOf(day)), range, attributes, visit)
    }
    await Promise.all(Array.from({ length: SHARDS_AT_A_TIME }, readNext))
  }
}

async function readShard<Name extends keyof FeedItem>(
  { client, tableName }: JournalTable,
  shard: string,
  { from, until }: TimeRange,
  attributes: readonly Name[],
  visit: (item: Pick<FeedItem, Name | 'receivedAt'>) => void
): Promise<void> {
  const { name: IndexName, partitionKey, sortKey } = JOURNAL.feedIndex
  const names = [...new Set([partitionKey, sortKey, ...attributes])]
  let ExclusiveStartKey: Record<string, unknown> | undefined
  do {
    const page = await client
      .send(
        new QueryCommand({
          TableName: tableName,
          IndexName,
          KeyConditionExpression: `#${partitionKey} = :shard AND #${sortKey} BETWEEN :from AND :until`,
          ProjectionExpression: names.map((name) => `#${name}`).join(', '),
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: { ':shard': shard, ':from': isoOf(from), ':until': isoOf(until) },
          ...(ExclusiveStartKey && { ExclusiveStartKey })
        })
      )
      .catch(throwUnavailable)
    for (const item of page.Items as Pick<FeedItem, Name | 'receivedAt'>[]) visit(item)
    ExclusiveStartKey = page.LastEvaluatedKey
  } while (ExclusiveStartKey)
}

const isoOf = (time: number) => new Date(time).toISOString()
