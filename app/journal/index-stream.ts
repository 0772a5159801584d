import { QueryCommand } from '@aws-sdk/lib-dynamodb'
import { type EventPosition, newestFirst } from '../activity/event-cursor.ts'
import { type JournalTable, throwUnavailable } from './journal-table.ts'

/** One partition of an index in one direction. */
export interface IndexRange {
  index: { name: string; partitionKey: string }
  partition: string
  /** Both ends included; ISO 8601. */
  from: string
  until: string
  isNewestFirst: boolean
}

/** Throws the reason of the signal if it has aborted, else JOURNAL_UNAVAILABLE. */
export const throwUnlessAborted = (signal: AbortSignal) => (error: unknown) => {
  signal.throwIfAborted()
  return throwUnavailable(error)
}

const MAX_ITEMS = 250

/** Reads one partition of an index in order, with queries of increasing size. */
export class IndexStream<Item extends EventPosition> {
  readonly #table: JournalTable
  readonly #range: IndexRange
  #items: Item[] = []
  #next = 0
  #limit: number
  #startKey: Record<string, unknown> | undefined
  #isRead = false

  /** @param firstItems items of the first query. Each further query reads twice as many. */
  constructor(table: JournalTable, range: IndexRange, firstItems: number) {
    this.#table = table
    this.#range = range
    this.#limit = firstItems
  }

  /** True if {@link head} is known without a query. */
  get isFilled(): boolean {
    // DynamoDB does not order items of the same millisecond, so all of them must be read first
    return this.#isRead || this.#items.at(-1)?.receivedAt !== this.head?.receivedAt
  }

  /** The next item; undefined at the end of the partition. */
  get head(): Item | undefined {
    return this.#items[this.#next]
  }

  skip(): void {
    this.#next++
  }

  /** @throws {ListenerError} JOURNAL_UNAVAILABLE */
  async fill(signal: AbortSignal): Promise<void> {
    while (!this.isFilled) {
      signal.throwIfAborted()
      const { index, partition, from, until, isNewestFirst } = this.#range
      const page = await this.#table.client
        .send(
          new QueryCommand({
            TableName: this.#table.tableName,
            IndexName: index.name,
            KeyConditionExpression: '#partition = :partition AND #time BETWEEN :from AND :until',
            ExpressionAttributeNames: { '#partition': index.partitionKey, '#time': 'receivedAt' },
            ExpressionAttributeValues: { ':partition': partition, ':from': from, ':until': until },
            ScanIndexForward: !isNewestFirst,
            Limit: this.#limit,
            ...(this.#startKey && { ExclusiveStartKey: this.#startKey })
          }),
          { abortSignal: signal }
        )
        .catch(throwUnlessAborted(signal))
      const items = [...this.#items.slice(this.#next), ...((page.Items ?? []) as Item[])]
      this.#items = items.sort((a, b) => (isNewestFirst ? newestFirst(a, b) : newestFirst(b, a)))
      this.#next = 0
      this.#startKey = page.LastEvaluatedKey
      this.#isRead = this.#startKey === undefined
      this.#limit = Math.min(MAX_ITEMS, 2 * this.#limit)
    }
  }
}
