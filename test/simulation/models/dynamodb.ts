import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { JOURNAL, JOURNAL_INDEXES } from '../../../app/journal/journal-table.ts'
import type { Network } from '../network.ts'
import { chanceOf } from '../random.ts'
import type { Scheduler, SimulatedProcess } from '../scheduler.ts'
import { type Item, meets, type Placeholders, updated, validationError } from './expressions.ts'

interface Input {
  TableName?: string
  Key?: Record<string, string>
  Item?: Record<string, unknown>
  ConditionExpression?: string
  UpdateExpression?: string
  KeyConditionExpression?: string
  ExpressionAttributeNames?: Record<string, string>
  ExpressionAttributeValues?: Record<string, unknown>
  IndexName?: string
  ScanIndexForward?: boolean
  Limit?: number
  ExclusiveStartKey?: Record<string, unknown>
  RequestItems?: Record<string, { Keys: Record<string, string>[] }>
}

/** Called when a process has updated an item. */
type OnUpdate = (process: SimulatedProcess | undefined, before: Item | undefined, after: Item) => void

interface Index {
  partitionKey: string
  sortKey: string
  partitions: Map<string, Map<string, Item>>
}

/** Maximum time from an item's expiry to its deletion, in milliseconds. Source: `howitworks-ttl` in the developer guide. */
const DELETION_MS = 48 * 3_600_000

/** Maximum size of an item, in bytes. */
const MAX_BYTES = 400 * 1024

/** Items per page of a query, few so that paging is used. */
const PAGE = 50

/**
 * One table of DynamoDB with its indexes: conditional writes, strongly consistent reads by key, indexes that lag, and
 * expiry at any time after it is due.
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
 */
export class DynamoDbModel {
  readonly items = new Map<string, Item>()
  readonly #scheduler: Scheduler
  readonly #seed: number
  readonly #lagMs: number
  readonly #onUpdate: OnUpdate
  readonly #indexes: Record<string, Index>
  #pending: { due: number; id: string; item: Item | undefined }[] = []

  constructor(
    scheduler: Scheduler,
    { seed, lagMs = 0, onUpdate = () => {} }: { seed: number; lagMs?: number; onUpdate?: OnUpdate }
  ) {
    this.#scheduler = scheduler
    this.#seed = seed
    this.#lagMs = lagMs
    this.#onUpdate = onUpdate
    this.#indexes = Object.fromEntries(
      JOURNAL_INDEXES.map(({ name, partitionKey, sortKey }) => [
        name,
        { partitionKey, sortKey, partitions: new Map() }
      ])
    )
  }

  /** Returns a client of the process that calls it. */
  client(network: Network): DynamoDBDocumentClient {
    const send = (
      command: { constructor: { name: string }; input: Input },
      options?: { abortSignal?: AbortSignal }
    ) => {
      const process = this.#scheduler.current
      const operation = command.constructor.name.replace('Command', '')
      return network.call({
        service: 'dynamodb',
        operation,
        signal: options?.abortSignal,
        fail: (why) => serviceError(why),
        perform: (answer) => {
          try {
            answer({ value: this.perform(operation, command.input, process) })
          } catch (error) {
            answer({ error })
          }
        }
      })
    }
    return { send, destroy: () => {} } as unknown as DynamoDBDocumentClient
  }

  /** Performs an operation at once. */
  perform(operation: string, input: Input, process?: SimulatedProcess): object {
    switch (operation) {
      case 'Get':
        return { Item: this.get(idOf(input.Key)) }
      case 'Put': {
        const { Item = {} } = input
        this.#write(idOf(Item), Item)
        return {}
      }
      case 'Delete':
        this.#remove(idOf(input.Key))
        return {}
      case 'Update':
        return this.#update(input, process)
      case 'BatchGet': {
        const [[table, { Keys }] = ['', { Keys: [] }]] = Object.entries(input.RequestItems ?? {})
        const found = Keys.map((key) => this.get(idOf(key))).filter((item) => item !== undefined)
        return { Responses: { [table]: found } }
      }
      case 'Query':
        return this.#query(input)
      default:
        throw new Error(`the model of DynamoDB has no ${operation}`)
    }
  }

  /** Returns an item unless it was deleted after its expiry. */
  get(id: string): Item | undefined {
    const item = this.items.get(id)
    if (!item || !this.#isExpired(id, item)) return item
    this.#remove(id)
    return undefined
  }

  #isExpired(id: string, item: Item): boolean {
    const expiresAt = item[JOURNAL.timeToLive]
    if (typeof expiresAt !== 'number') return false
    // most are deleted within minutes
    const delay = chanceOf(this.#seed, `deleted ${id}`) ** 6 * DELETION_MS
    return this.#scheduler.now > expiresAt * 1000 + delay
  }

  #update(
    { Key, UpdateExpression = '', ConditionExpression, ...input }: Input,
    process: SimulatedProcess | undefined
  ): object {
    const id = idOf(Key)
    const item = this.get(id)
    const placeholders: Placeholders = {
      names: input.ExpressionAttributeNames ?? {},
      values: input.ExpressionAttributeValues ?? {}
    }
    if (ConditionExpression && !meets(ConditionExpression, item, placeholders)) {
      throw new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} })
    }
    const after = this.#write(id, { ...updated(UpdateExpression, item, placeholders), ...Key })
    this.#onUpdate(process, item, after)
    return { Attributes: after }
  }

  #write(id: string, attributes: Record<string, unknown>): Item {
    const item = stored(attributes) as Item
    const payload = item.payload
    if (payload instanceof Uint8Array && payload.length > MAX_BYTES) throw validationError('item too large')
    this.items.set(id, item)
    this.#pending.push({ due: this.#scheduler.now + this.#lagMs, id, item })
    return item
  }

  #remove(id: string): void {
    this.items.delete(id)
    this.#pending.push({ due: this.#scheduler.now + this.#lagMs, id, item: undefined })
  }

  #query(input: Input): object {
    this.#updateIndexes()
    const { KeyConditionExpression = '', ExclusiveStartKey, ScanIndexForward = true } = input
    const index = this.#indexes[input.IndexName ?? '']
    if (!index) throw validationError(`no such index: ${input.IndexName}`)
    const placeholders: Placeholders = {
      names: input.ExpressionAttributeNames ?? {},
      values: input.ExpressionAttributeValues ?? {}
    }
    const [, value = ''] = /^#?\w+ = (:\w+)/.exec(KeyConditionExpression) ?? []
    const partition = index.partitions.get(String(placeholders.values[value])) ?? new Map<string, Item>()
    const items = [...partition.values()]
      .filter((item) => meets(KeyConditionExpression, item, placeholders))
      .sort((a, b) => {
        const order =
          String(a[index.sortKey]).localeCompare(String(b[index.sortKey])) || idOf(a).localeCompare(idOf(b))
        return ScanIndexForward ? order : -order
      })
    const start = ExclusiveStartKey ? items.findIndex((item) => item.id === ExclusiveStartKey.id) + 1 : 0
    const Items = items.slice(start, start + Math.min(PAGE, input.Limit ?? PAGE))
    const last = Items.at(-1)
    const isMore = last !== undefined && start + Items.length < items.length
    return { Items, ...(isMore && { LastEvaluatedKey: { id: last.id } }) }
  }

  #updateIndexes(): void {
    const due = this.#pending.filter((each) => each.due <= this.#scheduler.now)
    this.#pending = this.#pending.filter((each) => each.due > this.#scheduler.now)
    for (const { id, item } of due) {
      for (const { partitionKey, sortKey, partitions } of Object.values(this.#indexes)) {
        for (const partition of partitions.values()) partition.delete(id)
        const key = item?.[partitionKey]
        if (!item || typeof key !== 'string' || item[sortKey] === undefined) continue
        const partition = partitions.get(key) ?? new Map<string, Item>()
        partitions.set(key, partition.set(id, item))
      }
    }
  }
}

const idOf = (key: Item | undefined): string => String(key?.[JOURNAL.partitionKey])

/** Copies and freezes a value as DynamoDB stores it: without undefined values and class instances. */
function stored(value: unknown): unknown {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(stored))
  const copy: Record<string, unknown> = {}
  for (const key in value) {
    const each = (value as Item)[key]
    if (each !== undefined) copy[key] = stored(each)
  }
  return Object.freeze(copy)
}

/** The SDK marks all its errors with `$metadata`. */
function serviceError(why: 'refused' | 'throttled' | 'lost'): Error {
  const [name, httpStatusCode] = {
    refused: ['InternalServerError', 500] as const,
    throttled: ['ThrottlingException', 400] as const,
    lost: ['TimeoutError', undefined] as const
  }[why]
  return Object.assign(new Error(`injected: ${why}`), { name, $metadata: { httpStatusCode, attempts: 4 } })
}
