import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import type { Repair, RepairStore } from '../activity/repair.ts'
import { ACTIVITY_ID_PREFIX, REPAIRS_PARTITION, SAMPLE_DAYS } from './activity-partitions.ts'
import { throwUnlessAborted } from './index-stream.ts'
import { expiryOf, JOURNAL, type JournalTable, throwUnavailable } from './journal-table.ts'

export interface RepairItemsOptions extends JournalTable {
  /** Milliseconds since the epoch. (Default: Date.now) */
  clock?: () => number
}

/** Maximum number of repairs to list. */
const LISTED = 20

interface StoredRepair {
  progress?: Repair
  abortedBy?: string
}

/**
 * Keeps the progress of repairs in the table of the events, for seven days after their last progress. Like
 * counts and samples, the items have no `feedShard` and no status, so the feed and the commands do not read
 * them. Each write replaces attributes of its own, so it can be repeated.
 */
export class RepairItems implements RepairStore {
  readonly #options: Required<RepairItemsOptions>

  constructor(options: RepairItemsOptions) {
    this.#options = { clock: Date.now, ...options }
  }

  async save(repair: Repair): Promise<{ abortedBy?: string }> {
    const { partitionKey, sortKey } = JOURNAL.historyIndex
    const { Attributes } = await this.#update(repair.id, {
      UpdateExpression: `SET #progress = :progress, #partition = :partition, #time = :time, #expiry = :expiry`,
      ExpressionAttributeNames: {
        '#progress': 'progress',
        '#partition': partitionKey,
        '#time': sortKey,
        '#expiry': JOURNAL.timeToLive
      },
      ExpressionAttributeValues: {
        ':progress': repair,
        ':partition': REPAIRS_PARTITION,
        ':time': repair.at,
        ':expiry': expiryOf(this.#options.clock(), SAMPLE_DAYS)
      },
      // the result contains a request to abort, so the process that runs the repair needs no read
      ReturnValues: 'ALL_NEW'
    }).catch(throwUnavailable)
    const { abortedBy } = Attributes as StoredRepair
    return abortedBy === undefined ? {} : { abortedBy }
  }

  async find(id: string): Promise<Repair | undefined> {
    const { client, tableName } = this.#options
    const { Item } = await client
      .send(new GetCommand({ TableName: tableName, Key: keyOf(id), ConsistentRead: true }))
      .catch(throwUnavailable)
    return repairOf(Item)
  }

  async requestAbort(id: string, by: string): Promise<boolean> {
    try {
      await this.#update(id, {
        UpdateExpression: 'SET #abortedBy = :by',
        ConditionExpression: 'attribute_exists(#progress)',
        ExpressionAttributeNames: { '#abortedBy': 'abortedBy', '#progress': 'progress' },
        ExpressionAttributeValues: { ':by': by }
      })
      return true
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false
      return throwUnavailable(error)
    }
  }

  async recent(signal: AbortSignal): Promise<readonly Repair[]> {
    const { client, tableName } = this.#options
    const { name, partitionKey } = JOURNAL.historyIndex
    const { Items = [] } = await client
      .send(
        new QueryCommand({
          TableName: tableName,
          IndexName: name,
          KeyConditionExpression: '#partition = :partition',
          ExpressionAttributeNames: { '#partition': partitionKey },
          ExpressionAttributeValues: { ':partition': REPAIRS_PARTITION },
          ScanIndexForward: false,
          Limit: LISTED
        }),
        { abortSignal: signal }
      )
      .catch(throwUnlessAborted(signal))
    const prefix = ACTIVITY_ID_PREFIX.repair
    const found = await Promise.all(Items.map(({ id }) => this.find(String(id).slice(prefix.length))))
    return found.filter((repair) => repair !== undefined)
  }

  #update(id: string, change: Omit<ConstructorParameters<typeof UpdateCommand>[0], 'TableName' | 'Key'>) {
    const { client, tableName } = this.#options
    return client.send(new UpdateCommand({ TableName: tableName, Key: keyOf(id), ...change }))
  }
}

const keyOf = (id: string) => ({ [JOURNAL.partitionKey]: ACTIVITY_ID_PREFIX.repair + id })

function repairOf(item: StoredRepair | undefined): Repair | undefined {
  if (!item?.progress) return undefined
  const { progress, abortedBy } = item
  return { ...progress, ...(abortedBy !== undefined && { abortedBy }) }
}
