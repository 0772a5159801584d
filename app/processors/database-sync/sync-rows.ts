import type { AssetState } from '../../cloudinary/client.ts'
import type { Asset } from '../../ingest/event.ts'
import { namingLockHolders } from './lock-holders.ts'
import { type Database, escapeIdentifier, type Query, type Row } from './postgres.ts'
import { IDENTITY, OBSERVED_AT, PLACED_AT, sqlValue } from './sync-columns.ts'
import { nameOf, type TableDefinition } from './sync-table.ts'

/** An asset's id, and its name according to its row. */
export type Claim = Required<Omit<Asset, 'version'>>

/** The name of an asset. Within an environment, one asset has it at a time. */
export type Name = Omit<Claim, 'assetId'>

/** Selects rows by asset, or by public id if a notification does not contain the asset id. */
export type RowFilter = { assetId: string } | { publicId: string; resourceType?: string | undefined }

export interface PutResult {
  outcome: 'inserted' | 'updated' | 'outdated'
  /** The asset was read after its row got this name: see {@link PLACED_AT}. */
  isConfirmed: boolean
}

const UNCONFIRMED = `${OBSERVED_AT} <= ${PLACED_AT}`

const HAS_NAME = 'environment = $1 AND public_id = $2 AND resource_type = $3 AND type = $4'

/**
 * The rows of the table, one per asset. Times come from the database, so workers' clocks need not agree.
 *
 * Each method is one transaction that holds advisory locks on its names and assets, so of two methods one
 * sees what the other committed: a row that a method did not see was placed after its asset was read.
 */
export class AssetRows {
  readonly #database: Pick<Database, 'query' | 'transaction'>
  readonly #table: string
  readonly #columns: TableDefinition['columns']
  readonly #upsert: string

  constructor(database: Pick<Database, 'query' | 'transaction'>, definition: TableDefinition) {
    this.#database = database
    this.#table = nameOf(definition)
    this.#columns = definition.columns
    const names = definition.columns.map(({ name }) => escapeIdentifier(name))
    const [assetId, ...name] = IDENTITY.map(({ name }) => name)
    // columns in the order of their values, identity first
    const hasName = name.map((column, index) => `${column} = $${index + 2}`).join(' AND ')
    const nameIn = (row: string) => `(${name.map((column) => `${row}.${column}`).join(', ')})`
    const observedAt = `$${names.length + 1}::timestamptz`
    this.#upsert = `WITH ousted AS (
        DELETE FROM ${this.#table}
        WHERE ${hasName} AND ${assetId} <> $1 AND ${OBSERVED_AT} <= ${observedAt}
      )
      INSERT INTO ${this.#table} AS kept (${[...names, OBSERVED_AT, PLACED_AT].join(', ')})
      SELECT ${definition.columns.map(({ type }, index) => `$${index + 1}::${type}`).join(', ')},
        ${observedAt}, clock_timestamp()
      WHERE NOT EXISTS (
        SELECT FROM ${this.#table} WHERE ${hasName} AND ${assetId} <> $1 AND ${OBSERVED_AT} > ${observedAt}
      )
      ON CONFLICT (asset_id) DO UPDATE SET
        ${[...names, OBSERVED_AT].map((name) => `${name} = excluded.${name}`).join(', ')},
        ${PLACED_AT} = CASE WHEN ${nameIn('kept')} = ${nameIn('excluded')}
          THEN kept.${PLACED_AT} ELSE excluded.${PLACED_AT} END
      WHERE kept.${OBSERVED_AT} <= excluded.${OBSERVED_AT}
      RETURNING kept.xmax = 0 AS inserted, (${UNCONFIRMED}) IS NOT TRUE AS confirmed`
  }

  /** Returns the database's time in microseconds, as text that sorts. */
  async now(): Promise<string> {
    const [row] = await this.#database.query(
      'read the time',
      `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now`
    )
    return String(row?.now)
  }

  /**
   * Stores an asset, unless its row, or another row with its name, is newer. Removes an older row with its
   * name, since only one asset can have it.
   */
  async put(environment: string, asset: AssetState, observedAt: string): Promise<PutResult> {
    const values = this.#columns.map((column) => sqlValue(column, asset, environment))
    const locks = [nameLock(environment, asset.public_id), assetLock(asset.asset_id)]
    const [row] = await this.#change(locks, (query) =>
      query("store the asset's row", this.#upsert, [...values, observedAt])
    )
    if (row === undefined) return { outcome: 'outdated', isConfirmed: false }
    return { outcome: row.inserted === true ? 'inserted' : 'updated', isConfirmed: row.confirmed === true }
  }

  /** Returns the rows that a filter selects. */
  async claims(environment: string, filter: RowFilter): Promise<Claim[]> {
    const isById = 'assetId' in filter
    const rows = await this.#change(
      [isById ? assetLock(filter.assetId) : nameLock(environment, filter.publicId)],
      (query) =>
        query(
          "read the asset's row",
          `SELECT asset_id AS "assetId", public_id AS "publicId", resource_type AS "resourceType",
            type AS "deliveryType" FROM ${this.#table} WHERE environment = $1 AND ${
              isById ? 'asset_id = $2' : 'public_id = $2 AND resource_type = coalesce($3, resource_type)'
            }`,
          isById ? [environment, filter.assetId] : [environment, filter.publicId, filter.resourceType]
        )
    )
    return rows as unknown as Claim[]
  }

  /** Removes an asset's row, unless it is newer or has another name now. Returns whether it did. */
  remove(environment: string, claim: Claim, observedAt: string): Promise<boolean> {
    return this.#remove(environment, claim, observedAt, 'AND asset_id = $6', [claim.assetId])
  }

  /**
   * Removes the rows with a name, all or only unconfirmed ones, unless they are newer. Returns whether it
   * did.
   */
  clear(environment: string, name: Name, observedAt: string, which: 'all' | 'unconfirmed'): Promise<boolean> {
    return this.#remove(environment, name, observedAt, which === 'all' ? '' : `AND ${UNCONFIRMED}`)
  }

  async #remove(
    environment: string,
    { publicId, resourceType, deliveryType }: Name,
    observedAt: string,
    condition: string,
    values: readonly unknown[] = []
  ): Promise<boolean> {
    const rows = await this.#change([nameLock(environment, publicId)], (query) =>
      query(
        "remove the asset's row",
        `DELETE FROM ${this.#table} WHERE ${HAS_NAME} AND ${OBSERVED_AT} <= $5 ${condition} RETURNING asset_id`,
        [environment, publicId, resourceType, deliveryType, observedAt, ...values]
      )
    )
    return rows.length > 0
  }

  /** Runs work in a transaction that holds locks. Sorts them, so that transactions do not deadlock. */
  #change(locks: readonly string[], work: (query: Query) => Promise<Row[]>): Promise<Row[]> {
    const database = this.#database
    const keys = locks.map((lock) => `${this.#table} ${lock}`).toSorted()
    return namingLockHolders(database.query, this.#table, () =>
      database.transaction(async (query) => {
        await query(
          "lock the asset's name",
          'SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest($1::text[]) AS key',
          [keys]
        )
        return work(query)
      })
    )
  }
}

/** Does not include the kind: a rename notification does not state it for the old name. */
const nameLock = (environment: string, publicId: string) => `name ${environment} ${publicId}`

const assetLock = (assetId: string) => `asset ${assetId}`
