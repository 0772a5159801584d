import { escapeIdentifier } from 'pg'
import type { AssetState } from '../../cloudinary/client.ts'
import type { Asset } from '../../cloudinary/event.ts'
import { IDENTITY, OBSERVED_AT, sqlValue } from './columns.ts'
import type { Query } from './database.ts'
import { nameOf, type TableDefinition } from './table.ts'

/** What a row says an asset is called. */
export type Claim = Required<Omit<Asset, 'version'>>

/** The rows of the table, one for each asset. Times are the database's, so workers' clocks need not agree. */
export class AssetRows {
  readonly #query: Query
  readonly #table: string
  readonly #columns: TableDefinition['columns']
  readonly #upsert: string

  constructor(query: Query, definition: TableDefinition) {
    this.#query = query
    this.#table = nameOf(definition)
    this.#columns = definition.columns
    const names = [...definition.columns.map(({ name }) => name), OBSERVED_AT].map(escapeIdentifier)
    const [assetId, ...name] = IDENTITY.map(({ name }) => name)
    // columns in the order of their values; those that name the asset come first
    const hasName = name.map((column, index) => `${column} = $${index + 2}`).join(' AND ')
    const observedAt = `$${names.length}::timestamptz`
    this.#upsert = `WITH ousted AS (
        DELETE FROM ${this.#table}
        WHERE ${hasName} AND ${assetId} <> $1 AND ${OBSERVED_AT} <= ${observedAt}
      )
      INSERT INTO ${this.#table} AS kept (${names.join(', ')})
      SELECT ${definition.columns.map(({ type }, index) => `$${index + 1}::${type}`).join(', ')}, ${observedAt}
      WHERE NOT EXISTS (
        SELECT FROM ${this.#table} WHERE ${hasName} AND ${assetId} <> $1 AND ${OBSERVED_AT} > ${observedAt}
      )
      ON CONFLICT (asset_id) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}
      WHERE kept.${OBSERVED_AT} <= excluded.${OBSERVED_AT}
      RETURNING kept.xmax = 0 AS inserted`
  }

  /** The time now, to the microsecond; sorts as text. */
  async now(): Promise<string> {
    const [row] = await this.#query(
      'ask the database for the time',
      `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now`
    )
    return String(row?.now)
  }

  /**
   * Stores an asset as it was seen, unless something later was seen: of it, or under its name. A name is one asset's: what
   * was seen under it before is removed.
   */
  async put(
    environment: string,
    asset: AssetState,
    observedAt: string
  ): Promise<'inserted' | 'updated' | 'outdated'> {
    const values = this.#columns.map((column) => sqlValue(column, asset, environment))
    const [row] = await this.#query("store the asset's row", this.#upsert, [...values, observedAt])
    if (row === undefined) return 'outdated'
    return row.inserted === true ? 'inserted' : 'updated'
  }

  /** The row of an asset by its id; where that is not known, those that have its name: none without its kind. */
  async claims(environment: string, asset: Asset): Promise<Claim[]> {
    const { assetId, publicId, resourceType, deliveryType } = asset
    const rows = await this.#query(
      "look for the asset's row",
      `SELECT asset_id AS "assetId", public_id AS "publicId", resource_type AS "resourceType",
        type AS "deliveryType" FROM ${this.#table} WHERE environment = $1 AND ${
          assetId === undefined ? 'public_id = $2 AND resource_type = $3 AND type = $4' : 'asset_id = $2'
        }`,
      assetId === undefined ? [environment, publicId, resourceType, deliveryType] : [environment, assetId]
    )
    return rows as unknown as Claim[]
  }

  /** Removes a row, unless by now it was seen later or says another name. */
  async remove(
    { assetId, publicId, resourceType, deliveryType }: Claim,
    observedAt: string
  ): Promise<boolean> {
    const rows = await this.#query(
      "remove the asset's row",
      `DELETE FROM ${this.#table} WHERE asset_id = $1 AND public_id = $2 AND resource_type = $3 AND type = $4
        AND ${OBSERVED_AT} <= $5 RETURNING asset_id`,
      [assetId, publicId, resourceType, deliveryType, observedAt]
    )
    return rows.length > 0
  }
}
