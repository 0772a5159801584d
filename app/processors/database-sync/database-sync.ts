import { z } from 'zod'
import { isNotFound } from '../../cloudinary/cloudinary-error.ts'
import { isIdentified } from '../../cloudinary/identified-asset.ts'
import type { Asset } from '../../ingest/event.ts'
import type { Processor, ProcessorContext, StartContext } from '../../processor.ts'
import { ASSET_CHANGES } from '../asset-changes.ts'
import { checkOptions } from '../processor-options.ts'
import { isStored } from '../stored-asset.ts'
import { Database, MIGRATION_TIMES, type Times } from './postgres.ts'
import { COLUMNS, columnsOf, IDENTIFIER } from './sync-columns.ts'
import { type EventOfAsset, isDeletion, syncEvent } from './sync-event.ts'
import { AssetRows } from './sync-rows.ts'
import { checkTable, migrateTable, nameOf } from './sync-table.ts'

const Options = z.strictObject({
  name: z.string().default('database-sync'),
  table: IDENTIFIER.max(48, 'must be at most 48 characters').default('cloudinary_assets'),
  /** (Default: the first schema in the `search_path` of the database's user) */
  schema: IDENTIFIER.optional(),
  /**
   * Adds columns, and changes the default ones. `cms_id: 'metadata.cms_id'` adds a column of type text; `{
   * from, type }` sets the type; `false` removes a default column.
   */
  columns: COLUMNS
})

/** @see databaseSync */
export type DatabaseSyncOptions = z.input<typeof Options>

/**
 * Keeps one row per asset in a table of PostgreSQL: its fields, tags, metadata and context. Also handles own
 * changes; it does not write to Cloudinary, so it cannot loop. The command `migrate` creates the table. Costs
 * one call of the Upload API per event, two if the row is new or gets another name.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function databaseSync(options: DatabaseSyncOptions = {}): Processor {
  const { name, columns, ...at } = checkOptions('databaseSync', Options, options)
  const definition = { ...at, columns: columnsOf(columns) }
  const open = ({ config, log }: StartContext, times?: Times) =>
    new Database(config.DATABASE_URL!, log, times)
  const once = async (database: Database, work: () => Promise<void>) => {
    try {
      await work()
    } finally {
      await database.close()
    }
  }
  let started: { database: Database; rows: AssetRows } | undefined
  return {
    name,
    on: [...ASSET_CHANGES, 'delete', 'delete_by_token'],
    ownChanges: true,
    requires: ['DATABASE_URL'],
    when: ({ asset }) => asset !== null && isStored(asset),
    async start(context) {
      const database = open(context)
      try {
        await checkTable(database, definition)
      } catch (error) {
        await database.close()
        throw error
      }
      started = { database, rows: new AssetRows(database, definition) }
    },
    async handle(event, context) {
      const asset = await identityOf(event as EventOfAsset, context.cloudinary)
      if (!isStored(asset)) return `skipped: Cloudinary does not store assets of type ${asset.deliveryType}`
      return syncEvent({ ...event, asset }, context, started!.rows)
    },
    async stop() {
      await started?.database.close()
    },
    async check(context) {
      const database = open(context)
      await once(database, () => checkTable(database, definition))
      return [{ level: 'ok', message: `database answers; table ${nameOf(definition)} is up to date` }]
    },
    async migrate({ print, dryRun, ...context }) {
      const database = open(context, MIGRATION_TIMES)
      await once(database, () => migrateTable(database, definition, { print, dryRun }))
    }
  }
}

/**
 * Returns the asset of an event with its kind. Returns only its id if that is enough (a deletion), or if the
 * asset does not exist: its row has the name.
 *
 * @throws {CloudinaryError} ASSET_KIND_UNKNOWN
 */
async function identityOf(
  { type, asset }: EventOfAsset,
  cloudinary: Pick<ProcessorContext['cloudinary'], 'identify'>
): Promise<Asset> {
  const { assetId } = asset
  if (isDeletion(type) && assetId !== undefined && !isIdentified(asset)) return { assetId }
  try {
    const { publicId, resourceType, deliveryType } = await cloudinary.identify(asset)
    // keep the name that the event states: another asset may have it now, and that row is checked too
    return { publicId, ...asset, resourceType, deliveryType }
  } catch (error) {
    if (assetId === undefined || !isNotFound(error)) throw error
    return { assetId }
  }
}
