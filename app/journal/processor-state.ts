import { gunzipSync, gzipSync } from 'node:zlib'
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { ListenerError } from '../errors.ts'
import { JOURNAL, journalUnavailable } from './journal-table.ts'

/** What a processor or a command remembers from one run to another: values that JSON can hold, by key. */
export interface State {
  /**
   * The value last set; undefined where there is none, or it was forgotten.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  get: <Value>(key: string) => Promise<Value | undefined>
  /** @throws {ListenerError} JOURNAL_UNAVAILABLE; STATE_TOO_LARGE over 300 KB compressed */
  set: (key: string, value: unknown) => Promise<void>
  /** @throws {ListenerError} JOURNAL_UNAVAILABLE */
  delete: (key: string) => Promise<void>
}

export interface StateStoreOptions {
  client: DynamoDBDocumentClient
  tableName: string
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** How long a value is remembered after it was last set, in days. */
  retentionDays?: number
}

/** DynamoDB takes items of 400 KB. */
const MAXIMUM_BYTES = 300 * 1024

/**
 * State in the journal's table, beside the events. An event's id is hexadecimal, a value's begins with `state/` or
 * `command/`. There is no lock: the events of an asset come one after the other, so a key that names an asset or an event has one writer.
 */
export class StateStore {
  readonly #options: Required<StateStoreOptions>

  constructor(options: StateStoreOptions) {
    this.#options = { clock: Date.now, retentionDays: 30, ...options }
  }

  /** The state of one processor; no other processor and no command sees its keys. */
  of(processor: string): State {
    return this.#under(`state/${processor}/`)
  }

  /** The state of one command. A processor may have the name of a command. */
  ofCommand(command: string): State {
    return this.#under(`command/${command}/`)
  }

  #under(prefix: string): State {
    const keyOf = (key: string) => ({ [JOURNAL.partitionKey]: prefix + key })
    return {
      get: (key) => this.#get(keyOf(key)),
      set: (key, value) => this.#set(keyOf(key), value),
      delete: (key) => this.#delete(keyOf(key))
    }
  }

  async #get<Value>(Key: Record<string, string>): Promise<Value | undefined> {
    const { client, tableName } = this.#options
    const { Item } = await client
      .send(new GetCommand({ TableName: tableName, Key, ConsistentRead: true }))
      .catch(unavailable)
    return Item && (JSON.parse(gunzipSync(Item.value).toString()) as Value)
  }

  async #set(key: Record<string, string>, value: unknown): Promise<void> {
    const { client, tableName, clock, retentionDays } = this.#options
    const compressed = gzipSync(JSON.stringify(value))
    if (compressed.length > MAXIMUM_BYTES) {
      throw new ListenerError(
        'STATE_TOO_LARGE',
        `${Object.values(key)} is ${compressed.length} bytes compressed; at most ${MAXIMUM_BYTES} can be kept. Split it over several keys.`
      )
    }
    const expiresAt = Math.floor(clock() / 1000) + retentionDays * 86_400
    const Item = { ...key, value: compressed, [JOURNAL.timeToLive]: expiresAt }
    await client.send(new PutCommand({ TableName: tableName, Item })).catch(unavailable)
  }

  async #delete(Key: Record<string, string>): Promise<void> {
    const { client, tableName } = this.#options
    await client.send(new DeleteCommand({ TableName: tableName, Key })).catch(unavailable)
  }
}

const unavailable = (cause: unknown): never => {
  throw journalUnavailable(cause)
}
