import { PutCommand } from '@aws-sdk/lib-dynamodb'
import type { QueueSample, RefusedSample } from '../activity/activity-store.ts'
import type { MinuteRecord } from '../metrics/minute-counts.ts'
import {
  ACTIVITY_ID_PREFIX,
  minutesPartition,
  QUEUE_PARTITION,
  refusedPartition,
  SAMPLE_DAYS
} from './activity-partitions.ts'
import { expiryOf, JOURNAL, type JournalTable } from './journal-table.ts'

export interface ActivityWriterOptions extends JournalTable {
  /** Id of this process, unique among those running. */
  process: string
  /** Milliseconds since the epoch. */
  clock: () => number
  /** Maximum duration of a write, in milliseconds. (Default: 2000) */
  timeoutMs?: number
}

/** Maximum number of refused notifications to keep per day. */
const REFUSED_A_DAY = 100

/**
 * Writes the counts and samples of one process for the activity page, in the table of the events. Each write
 * replaces its own item, so it can be repeated. The items have no `feedShard` and no status, so the feed and
 * the commands do not read them.
 */
export class ActivityWriter {
  readonly #options: Required<ActivityWriterOptions>
  #nextRefused: number

  constructor(options: ActivityWriterOptions) {
    this.#options = { timeoutMs: 2000, ...options }
    // processes that start together should not replace each other's samples
    this.#nextRefused = Math.floor(Math.random() * REFUSED_A_DAY)
  }

  /** Stores the totals of a minute so far. */
  putMinute({ minute, ...counts }: MinuteRecord): Promise<void> {
    const id = `${ACTIVITY_ID_PREFIX.minute}${minute}#${this.#options.process}`
    return this.#put(id, minutesPartition(minute), minute, { counts })
  }

  /** Stores a refused notification in one of the 100 items of its day. */
  putRefused(sample: RefusedSample): Promise<void> {
    const slot = this.#nextRefused
    this.#nextRefused = (slot + 1) % REFUSED_A_DAY
    const partition = refusedPartition(sample.at)
    return this.#put(`${ACTIVITY_ID_PREFIX.refused}${sample.at.slice(0, 10)}#${slot}`, partition, sample.at, {
      sample
    })
  }

  /** Stores the newest sample of the queue. */
  putQueue(sample: QueueSample): Promise<void> {
    const id = `${ACTIVITY_ID_PREFIX.queue}${this.#options.process}`
    return this.#put(id, QUEUE_PARTITION, sample.at, { sample })
  }

  async #put(id: string, partition: string, time: string, value: Record<string, unknown>): Promise<void> {
    const { client, tableName, clock, timeoutMs } = this.#options
    const { partitionKey, sortKey } = JOURNAL.historyIndex
    const Item = {
      [JOURNAL.partitionKey]: id,
      [partitionKey]: partition,
      [sortKey]: time,
      ...value,
      [JOURNAL.timeToLive]: expiryOf(clock(), SAMPLE_DAYS)
    }
    const abortSignal = AbortSignal.timeout(timeoutMs)
    await client.send(new PutCommand({ TableName: tableName, Item }), { abortSignal })
  }
}
