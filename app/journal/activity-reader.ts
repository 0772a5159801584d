import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import type {
  ActivityEventDetail,
  ActivityStore,
  EventPage,
  MinuteCounts,
  PageQuery,
  QueueSample,
  RefusedSample
} from '../activity/activity-store.ts'
import { mergeMinutes } from '../metrics/merge-minutes.ts'
import type { MinuteRecord } from '../metrics/minute-counts.ts'
import { feedDays, wholeIndex } from './activity-blocks.ts'
import { type StoredEvent, toDetail } from './activity-items.ts'
import { minutesPartition, QUEUE_PARTITION, refusedPartition, SAMPLE_DAYS } from './activity-partitions.ts'
import { type SearchBudget, type SearchOptions, searchEvents } from './event-search.ts'
import { throwUnlessAborted } from './index-stream.ts'
import {
  JOURNAL,
  type JournalTable,
  RETENTION_DAYS,
  throwUnavailable,
  UNFINISHED_SHARDS,
  unfinishedPartition
} from './journal-table.ts'

export interface ActivityReaderOptions extends JournalTable {
  /** Milliseconds since the epoch. (Default: Date.now) */
  clock?: () => number
  /** Search limits of one call. (Default: 2,000 events, 800 ms) */
  budget?: SearchBudget
}

const BUDGET: SearchBudget = { events: 2000, milliseconds: 800 }

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Maximum clock difference to a machine of the web role. */
const AHEAD_MS = 5 * 60_000

const QUERIES_AT_A_TIME = 8

const MAX_REFUSED = 100

/**
 * Maximum age of a sample of the queue. Workers write one every 10 s, so an older one is of a stopped worker.
 */
const QUEUE_SAMPLE_MS = 60_000

/** Maximum number of workers whose queue samples are read: each worker has one sample. */
const WORKERS = 100

/** Reads the data of the activity role from the journal's table. */
export function createActivityStore(options: ActivityReaderOptions): ActivityStore {
  return new ActivityReader({ clock: Date.now, budget: BUDGET, ...options })
}

class ActivityReader implements ActivityStore {
  readonly #options: Required<ActivityReaderOptions>

  constructor(options: Required<ActivityReaderOptions>) {
    this.#options = options
  }

  list(query: PageQuery): Promise<EventPage> {
    const { from, until } = query.filter
    const now = this.#options.clock()
    const oldest = isoOf(now - (RETENTION_DAYS + 1) * DAY_MS)
    const newest = isoOf(now + AHEAD_MS)
    return this.#search(query, {
      isDescribed: true,
      blocks: (range) =>
        feedDays(
          from !== undefined && from > oldest ? from : oldest,
          until !== undefined && until < newest ? until : newest,
          range
        )
    })
  }

  history(group: string, query: Omit<PageQuery, 'filter'>): Promise<EventPage> {
    return this.#search(
      { ...query, filter: {} },
      { isDescribed: false, blocks: (range) => wholeIndex(JOURNAL.historyIndex, [group], range) }
    )
  }

  unfinished(status: 'retrying' | 'dead', query: PageQuery): Promise<EventPage> {
    const partitions = Array.from({ length: UNFINISHED_SHARDS }, (_, shard) =>
      unfinishedPartition(status, shard)
    )
    // an event that is in a new attempt keeps its index entry, but is neither retrying nor dead
    const isOther = query.filter.status?.includes(status) === false
    const filter = { ...query.filter, status: isOther ? [] : [status] }
    return this.#search(
      { ...query, filter },
      { isDescribed: false, blocks: (range) => wholeIndex(JOURNAL.unfinishedIndex, partitions, range) }
    )
  }

  async find(id: string): Promise<ActivityEventDetail | undefined> {
    if (!/^[0-9a-f]{1,128}$/.test(id)) return undefined
    const { client, tableName } = this.#options
    const Key = { [JOURNAL.partitionKey]: id }
    const { Item } = await client
      .send(new GetCommand({ TableName: tableName, Key, ConsistentRead: true }))
      .catch(throwUnavailable)
    return Item && toDetail(Item as StoredEvent)
  }

  async minutes(from: string, until: string, signal: AbortSignal): Promise<readonly MinuteCounts[]> {
    const records: MinuteRecord[] = []
    const hours: string[] = []
    const first = Math.max(Date.parse(from), this.#options.clock() - SAMPLE_DAYS * DAY_MS)
    for (let hour = Math.floor(first / HOUR_MS) * HOUR_MS; hour <= Date.parse(until); hour += HOUR_MS) {
      hours.push(isoOf(hour))
    }
    const waiting = hours.values()
    const readNext = async () => {
      for (const hour of waiting) {
        const items = this.#query(minutesPartition(hour), { from, until }, signal)
        for await (const item of items)
          records.push({ minute: item.receivedAt, ...(item.counts as object) } as MinuteRecord)
      }
    }
    await Promise.all(Array.from({ length: QUERIES_AT_A_TIME }, readNext))
    return mergeMinutes(records)
  }

  async queue(signal: AbortSignal): Promise<QueueSample | undefined> {
    const lately: QueueSample[] = []
    for await (const { sample } of this.#query(QUEUE_PARTITION, { limit: WORKERS }, signal)) {
      const { at } = sample as QueueSample
      if (Date.parse(lately[0]?.at ?? at) - Date.parse(at) >= QUEUE_SAMPLE_MS) break
      lately.push(sample as QueueSample)
    }
    const [newest] = lately
    if (!newest) return undefined
    const ages = lately.flatMap(({ oldestSeconds }) => oldestSeconds ?? [])
    return {
      ...newest,
      ...(ages.length > 0 && { oldestSeconds: Math.max(...ages) }),
      breakerOpen: lately.some(({ breakerOpen }) => breakerOpen)
    }
  }

  async refused(signal: AbortSignal): Promise<readonly RefusedSample[]> {
    const samples: RefusedSample[] = []
    const now = this.#options.clock()
    for (let day = 0; day <= SAMPLE_DAYS && samples.length < MAX_REFUSED; day++) {
      const partition = refusedPartition(isoOf(now - day * DAY_MS))
      for await (const { sample } of this.#query(partition, { limit: MAX_REFUSED }, signal)) {
        samples.push(sample as RefusedSample)
      }
    }
    return samples.slice(0, MAX_REFUSED)
  }

  #search(query: PageQuery, options: Pick<SearchOptions, 'isDescribed' | 'blocks'>): Promise<EventPage> {
    const { client, tableName, clock, budget } = this.#options
    return searchEvents(query, { table: { client, tableName }, clock, budget, ...options })
  }

  /** Reads a partition of the history index that holds no events, newest first. */
  async *#query(
    partition: string,
    { from, until, limit }: { from?: string; until?: string; limit?: number },
    signal: AbortSignal
  ): AsyncGenerator<Record<string, unknown> & { receivedAt: string }, void, void> {
    const { client, tableName } = this.#options
    const { name: IndexName, partitionKey, sortKey } = JOURNAL.historyIndex
    const isBounded = from !== undefined && until !== undefined
    let ExclusiveStartKey: Record<string, unknown> | undefined
    do {
      signal.throwIfAborted()
      const page = await client
        .send(
          new QueryCommand({
            TableName: tableName,
            IndexName,
            KeyConditionExpression: `#partition = :partition${isBounded ? ' AND #time BETWEEN :from AND :until' : ''}`,
            ExpressionAttributeNames: { '#partition': partitionKey, ...(isBounded && { '#time': sortKey }) },
            ExpressionAttributeValues: {
              ':partition': partition,
              ...(isBounded && { ':from': from, ':until': until })
            },
            ScanIndexForward: false,
            ...(limit && { Limit: limit }),
            ...(ExclusiveStartKey && { ExclusiveStartKey })
          }),
          { abortSignal: signal }
        )
        .catch(throwUnlessAborted(signal))
      yield* page.Items as (Record<string, unknown> & { receivedAt: string })[]
      ExclusiveStartKey = page.LastEvaluatedKey
    } while (ExclusiveStartKey)
  }
}

const isoOf = (time: number): string => new Date(time).toISOString()
