import { z } from 'zod'
import { isNotFound } from '../../cloudinary/cloudinary-error.ts'
import { isIdentified } from '../../cloudinary/identified-asset.ts'
import type { Asset } from '../../ingest/event.ts'
import type { Processor, ProcessorContext, StartContext } from '../../processor.ts'
import { ASSET_CHANGES } from '../asset-changes.ts'
import { checkOptions } from '../processor-options.ts'
import { Database, MIGRATION_TIMES, type Times } from './postgres.ts'
import { COLUMNS, columnsOf, IDENTIFIER } from './sync-columns.ts'
import { type EventOfAsset, follow } from './sync-event.ts'
import { AssetRows } from './sync-rows.ts'
import { checkTable, migrateTable, nameOf } from './sync-table.ts'

const Options = z.strictObject({
  name: z.string().default('database-sync'),
  table: IDENTIFIER.max(48, 'must be at most 48 characters').default('cloudinary_assets'),
  /** Default: where the `search_path` of the database's user leads. */
  schema: IDENTIFIER.optional(),
  /**
   * Columns beside those that are always there. `cms_id: 'metadata.cms_id'` adds one of type text;
   * `{ from, type }` says the type; `false` leaves out one of the default columns.
   */
  columns: COLUMNS
})

/** @see databaseSync */
export type DatabaseSyncOptions = z.input<typeof Options>

/** Those that Cloudinary stores. Asked for one of another, such as `fetch`, it would fetch the asset anew. */
const STORED = ['upload', 'private', 'authenticated']

/**
 * Keeps a row for each asset in a table of PostgreSQL: what Cloudinary says of it, its tags, metadata and context. It
 * follows own changes as well; it writes nothing to Cloudinary, so it cannot loop. The command `migrate` makes the
 * table. Costs one call of the Upload API for an event, two where the row is new or gets another name.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function databaseSync(options: DatabaseSyncOptions = {}): Processor {
  const { name, columns, ...at } = checkOptions('databaseSync', Options, options)
  const definition = { ...at, columns: columnsOf(columns) }
  const open = ({ config, log }: StartContext, times?: Times) =>
    new Database(config.DATABASE_URL!, log, times)
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
      return follow({ ...event, asset }, context, started!.rows)
    },
    async stop() {
      await started?.database.close()
    },
    async check(context) {
      const database = open(context)
      try {
        await checkTable(database, definition)
      } finally {
        await database.close()
      }
      return [{ level: 'ok', message: `the database answers, and has the table ${nameOf(definition)}` }]
    },
    async migrate({ print, dryRun, ...context }) {
      const database = open(context, MIGRATION_TIMES)
      try {
        await migrateTable(database, definition, { print, dryRun })
      } finally {
        await database.close()
      }
    }
  }
}

/**
 * The asset of an event with its kind; with nothing but its id where that is enough, or Cloudinary has no such asset: then
 * its row says what it was.
 *
 * @throws {CloudinaryError} ASSET_KIND_UNKNOWN
 */
async function identityOf(
  { type, asset }: EventOfAsset,
  cloudinary: Pick<ProcessorContext['cloudinary'], 'identify'>
): Promise<Asset> {
  const { assetId } = asset
  const isDeletion = type === 'delete' || type === 'delete_by_token'
  if (isDeletion && assetId !== undefined && !isIdentified(asset)) return { assetId }
  try {
    const { publicId, resourceType, deliveryType } = await cloudinary.identify(asset)
    // the name that the event states may be another one's by now, whose row is to be looked at as well
    return { publicId, ...asset, resourceType, deliveryType }
  } catch (error) {
    if (assetId === undefined || !isNotFound(error)) throw error
    return { assetId }
  }
}

const isStored = ({ deliveryType }: Asset) => deliveryType === undefined || STORED.includes(deliveryType)
