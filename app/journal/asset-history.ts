import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb'
import type { Asset, EventType } from '../cloudinary/event.ts'
import { type Status, UNFINISHED } from './journal.ts'
import { feedShard, JOURNAL, journalUnavailable } from './table.ts'

/** What the feed says of one event of an asset; times are milliseconds since the epoch. */
export interface Trace {
  type: EventType
  occurredAt: number
  /** When processors ran for it, the last time each. */
  runs: readonly { from: number; until: number }[]
  /** Of an event that is not finished, when a worker last gave a sign of it: it has begun, or a processor has ended. */
  openAt?: number
}

const HOUR_MS = 3_600_000

/** An event's id begins with one of these, and so does the rest of its shard's name. */
const DIGITS = [...'0123456789abcdef']

interface Item {
  type: EventType
  environment: string
  asset?: Asset | null
  occurredAt: string
  receivedAt: string
  startedAt?: string
  status: Status
  processors?: Record<string, { at: string; milliseconds: number }>
}

/**
 * What the journal's feed knows of assets in some hours. It holds the hours asked for last, and no others, so that
 * whoever goes through weeks needs no more memory than for a day. The feed is an index: what was journaled in the last
 * second may not be in it yet.
 */
export class AssetHistory {
  readonly #client: DynamoDBDocumentClient
  readonly #tableName: string
  /** By the hour in which they were received, then by asset. */
  #hours = new Map<number, Map<string, Trace[]>>()

  constructor({ client, tableName }: { client: DynamoDBDocumentClient; tableName: string }) {
    this.#client = client
    this.#tableName = tableName
  }

  /**
   * Reads all that was received from one time to another, as far as it is not held already, and lets go of the rest.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async load(from: number, until: number): Promise<void> {
    const hours = new Map<number, Map<string, Trace[]>>()
    const missing: number[] = []
    for (let hour = Math.floor(from / HOUR_MS) * HOUR_MS; hour <= until; hour += HOUR_MS) {
      const held = this.#hours.get(hour)
      if (!held) missing.push(hour)
      hours.set(hour, held ?? new Map())
    }
    const days = Map.groupBy(missing, (hour) => isoOf(hour).slice(0, 10))
    for (const [day, [first = 0, ...others]] of days) {
      const last = (others.at(-1) ?? first) + HOUR_MS - 1
      await Promise.all(
        DIGITS.map(async (digit) => {
          for await (const item of this.#query(feedShard(digit, day), isoOf(first), isoOf(last))) {
            const hour = Math.floor(Date.parse(item.receivedAt) / HOUR_MS) * HOUR_MS
            if (missing.includes(hour)) note(hours.get(hour)!, item)
          }
        })
      )
    }
    this.#hours = hours
  }

  /** The events of an asset in the hours that are held; those that name it by nothing but its public id included. */
  of(environment: string, { assetId, publicId }: Asset): Trace[] {
    return [...this.#hours.values()].flatMap((byAsset) => [
      ...(byAsset.get(keyOf(environment, { assetId })) ?? []),
      ...(byAsset.get(keyOf(environment, { publicId })) ?? [])
    ])
  }

  /**
   * When the newest event was received that a worker has begun; undefined where that is more than a day ago.
   *
   * @param now milliseconds since the epoch
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async newest(now: number): Promise<number | undefined> {
    for (const day of [now, now - 24 * HOUR_MS].map((time) => isoOf(time).slice(0, 10))) {
      const newest = await Promise.all(
        DIGITS.map(async (digit) => {
          for await (const { receivedAt } of this.#query(feedShard(digit, day), day, isoOf(now), true)) {
            return Date.parse(receivedAt)
          }
          return Number.NEGATIVE_INFINITY
        })
      )
      if (newest.some(Number.isFinite)) return Math.max(...newest)
    }
    return undefined
  }

  async *#query(shard: string, from: string, until: string, newestOnly = false): AsyncGenerator<Item> {
    let ExclusiveStartKey: Record<string, unknown> | undefined
    do {
      const answer = await this.#client
        .send(
          new QueryCommand({
            TableName: this.#tableName,
            IndexName: JOURNAL.feedIndex.name,
            KeyConditionExpression: '#shard = :shard AND #receivedAt BETWEEN :from AND :until',
            ProjectionExpression:
              '#type, #environment, #asset, #occurredAt, #receivedAt, #startedAt, #status, #processors',
            ExpressionAttributeNames: {
              '#shard': JOURNAL.feedIndex.partitionKey,
              '#receivedAt': JOURNAL.feedIndex.sortKey,
              '#type': 'type',
              '#environment': 'environment',
              '#asset': 'asset',
              '#occurredAt': 'occurredAt',
              '#startedAt': 'startedAt',
              '#status': 'status',
              '#processors': 'processors'
            },
            ExpressionAttributeValues: { ':shard': shard, ':from': from, ':until': until },
            ...(newestOnly && { ScanIndexForward: false, Limit: 1 }),
            ...(ExclusiveStartKey && { ExclusiveStartKey })
          })
        )
        .catch((error: unknown) => {
          throw journalUnavailable(error)
        })
      yield* answer.Items as unknown as Item[]
      ExclusiveStartKey = answer.LastEvaluatedKey
    } while (ExclusiveStartKey)
  }
}

function note(
  byAsset: Map<string, Trace[]>,
  { type, environment, asset, occurredAt, startedAt, status, processors = {} }: Item
) {
  if (!asset) return
  const { assetId, publicId } = asset
  const key = keyOf(environment, assetId ? { assetId } : { publicId })
  const runs = Object.values(processors).map(({ at, milliseconds }) => {
    const until = Date.parse(at)
    return { from: until - milliseconds, until }
  })
  const traces = byAsset.get(key) ?? []
  const signs = [Date.parse(startedAt ?? occurredAt), ...runs.map(({ until }) => until)]
  traces.push({
    type,
    occurredAt: Date.parse(occurredAt),
    runs,
    ...(UNFINISHED.includes(status) && { openAt: Math.max(...signs) })
  })
  byAsset.set(key, traces)
}

const keyOf = (
  environment: string,
  { assetId, publicId }: { assetId?: string | undefined; publicId?: string | undefined }
) => JSON.stringify(assetId === undefined ? [environment, null, publicId] : [environment, assetId])

const isoOf = (time: number) => new Date(time).toISOString()
