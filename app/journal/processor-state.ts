import { gunzipSync } from 'node:zlib'
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import { ListenerError } from '../errors.ts'
import { compress } from './compress.ts'
import { expiryOf, JOURNAL, type JournalTable, RETENTION_DAYS, throwUnavailable } from './journal-table.ts'

/** State that a processor or command keeps between runs: JSON values by key. */
export interface State {
  /**
   * Returns the value last set, or undefined if it was never set or has expired.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  get: <Value>(key: string) => Promise<Value | undefined>
  /** @throws {ListenerError} JOURNAL_UNAVAILABLE; STATE_TOO_LARGE over 300 KB compressed */
  set: (key: string, value: unknown) => Promise<void>
  /** @throws {ListenerError} JOURNAL_UNAVAILABLE */
  delete: (key: string) => Promise<void>
}

export interface StateStoreOptions extends JournalTable {
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** Retention of a value after it was last set, in days. (Default: 30) */
  retentionDays?: number
}

/** Maximum size of a compressed value, in bytes. DynamoDB accepts items of 400 KB. */
const MAX_BYTES = 300 * 1024

/**
 * Stores state in the journal's table, beside the events. Ids of events are hexadecimal; keys of state start
 * with `state/` or `command/`. No lock is needed: the events of an asset are processed in order, so the key
 * of an asset has one writer.
 */
export class StateStore {
  readonly #options: Required<StateStoreOptions>

  constructor(options: StateStoreOptions) {
    this.#options = { clock: Date.now, retentionDays: RETENTION_DAYS, ...options }
  }

  /** Returns the state of one processor. Other processors and commands do not share its keys. */
  of(processor: string): State {
    return this.#under(`state/${processor}/`)
  }

  /** Returns the state of one command. It is separate from that of a processor with the same name. */
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
      .catch(throwUnavailable)
    return Item && (JSON.parse(gunzipSync(Item.value).toString()) as Value)
  }

  async #set(key: Record<string, string>, value: unknown): Promise<void> {
    const { client, tableName, clock, retentionDays } = this.#options
    const compressed = compress(JSON.stringify(value))
    if (compressed.length > MAX_BYTES) {
      throw new ListenerError(
        'STATE_TOO_LARGE',
        `${Object.values(key)} is ${compressed.length} bytes compressed; the maximum is ${MAX_BYTES}. ` +
          'Split it over several keys.'
      )
    }
    const expiresAt = expiryOf(clock(), retentionDays)
    const Item = { ...key, value: compressed, [JOURNAL.timeToLive]: expiresAt }
    await client.send(new PutCommand({ TableName: tableName, Item })).catch(throwUnavailable)
  }

  async #delete(Key: Record<string, string>): Promise<void> {
    const { client, tableName } = this.#options
    await client.send(new DeleteCommand({ TableName: tableName, Key })).catch(throwUnavailable)
  }
}
