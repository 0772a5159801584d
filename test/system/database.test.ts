import pg from 'pg'
import t, { type Test } from 'tap'
import type { Config } from '../../app/config.ts'
import { databaseSync, type ProcessorContext } from '../../app/listener.ts'
import { Database, type Times } from '../../app/processors/database-sync/postgres.ts'
import { COLUMNS, columnsOf } from '../../app/processors/database-sync/sync-columns.ts'
import type { EventOfAsset } from '../../app/processors/database-sync/sync-event.ts'
import { AssetRows } from '../../app/processors/database-sync/sync-rows.ts'
import { migrateTable } from '../../app/processors/database-sync/sync-table.ts'
import { memoryState } from '../../app/testing/memory-state.ts'
import { DEFAULT_CONFIG } from '../support/config.ts'
import { PGBOUNCER, POSTGRES_BIN, startDebianPostgres } from '../support/debian-postgres.ts'
import { QUIET } from '../support/operator.ts'
import { SilentCloudinary } from '../support/silent-cloudinary.ts'
import { runHistories } from './database/check.ts'

// needs several sessions, which the embedded PostgreSQL does not support; `.ci/run` installs the programs
if (POSTGRES_BIN === undefined) {
  t.plan(0, 'PostgreSQL is not installed: apt-get install postgresql')
  process.exit()
}

t.setTimeout(180_000)

const postgres = await startDebianPostgres()
t.teardown(() => postgres.stop())

/** New random seeds; `npm run test:database` with FROM and SEEDS repeats them. */
function seeds(t: Test, count: number): number[] {
  const from = Math.floor(Math.random() * 1_000_000)
  t.comment(`seeds ${from} to ${from + count - 1}`)
  return Array.from({ length: count }, (_, index) => from + index)
}

/** A worker with its own connections, and a Cloudinary whose responses can be delayed. */
async function buildWorker(t: Test, environment: string) {
  const context = { config: { DATABASE_URL: postgres.url } as Config, log: QUIET }
  const worker = databaseSync()
  await worker.migrate!({ ...context, print: () => {}, dryRun: false })
  await worker.start!(context)
  const pool = new pg.Pool({ connectionString: postgres.url })
  t.teardown(() => Promise.all([worker.stop!(), pool.end()]))
  const cloudinary = new SilentCloudinary(environment)
  const { state } = memoryState()
  const { signal } = new AbortController()
  return {
    cloudinary,
    /** @param held called when Cloudinary has answered; awaited before the response is used */
    handle(event: EventOfAsset | undefined, held: () => Promise<unknown> = async () => {}) {
      const currentState: ProcessorContext['cloudinary']['currentState'] = async (asset) => {
        const answer = await cloudinary.currentState(asset).catch((error) => error)
        await held()
        if (answer instanceof Error) throw answer
        return answer
      }
      const identify = cloudinary.identify.bind(cloudinary)
      const used = { currentState, identify } as ProcessorContext['cloudinary']
      return worker.handle(event!, { cloudinary: used, config: DEFAULT_CONFIG, log: QUIET, signal, state })
    },
    async rows() {
      const { rows } = await pool.query('SELECT * FROM cloudinary_assets WHERE environment = $1', [
        environment
      ])
      return rows
    }
  }
}

t.test('a slow upload leaves no row of an asset that was overwritten meanwhile', async (t) => {
  const { cloudinary, handle, rows } = await buildWorker(t, 'slow')
  const [upload] = cloudinary.change((changes) => changes.upload({ publicId: 'n' }))
  const read = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const slow = handle(upload, () => {
    read.resolve()
    return gate.promise
  })
  await read.promise
  for (const event of [
    ...cloudinary.change((changes) => changes.upload({ publicId: 'm' })),
    ...cloudinary.change((changes) => changes.rename('m', 'n', { overwrite: true })),
    ...cloudinary.change((changes) => changes.destroy('n'))
  ]) {
    await handle(event)
  }
  gate.resolve()
  await slow
  t.strictSame(await rows(), cloudinary.all())
})

t.test('a concurrent upload and overwriting rename leave one row', async (t) => {
  const { cloudinary, handle, rows } = await buildWorker(t, 'pairs')
  const holder = new pg.Client({ connectionString: postgres.url })
  await holder.connect()
  t.teardown(() => holder.end())
  const areWaiting = async () => {
    const { rows } = await holder.query('SELECT FROM pg_locks WHERE NOT granted')
    return rows.length === 2
  }
  for (let pair = 0; pair < 8; pair++) {
    const name = `n${pair}`
    for (const event of cloudinary.change((changes) => changes.upload({ publicId: 'm' }))) await handle(event)
    const [upload] = cloudinary.change((changes) => changes.upload({ publicId: name }))
    const read = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    const slow = handle(upload, () => {
      read.resolve()
      return gate.promise
    })
    await read.promise
    const [rename] = cloudinary.change((changes) => changes.rename('m', name, { overwrite: true }))
    // both have read their asset, and store when the lock is released
    await holder.query('BEGIN; LOCK TABLE cloudinary_assets IN SHARE MODE')
    const both = Promise.all([slow, handle(rename, async () => gate.resolve())])
    while (!(await areWaiting()));
    await holder.query('COMMIT')
    await both
  }
  const ids = (assets: Record<string, unknown>[]) => assets.map(({ asset_id }) => asset_id).toSorted()
  t.strictSame(ids(await rows()), ids(cloudinary.all()))
})

t.test("the table converges to Cloudinary's state with concurrent workers", async (t) => {
  t.strictSame(await runHistories(postgres.url, seeds(t, 16)), [])
})

t.test("waits for another session's lock, then reports the session", async (t) => {
  const times: Times = { connect: 5000, lock: 100, statement: 5000, answer: 5000 }
  const database = new Database(postgres.url, QUIET, times)
  const definition = { table: 'locked', columns: columnsOf(COLUMNS.parse({})) }
  const options = { print: () => {}, dryRun: false }
  await migrateTable(database, definition, options)
  const holder = new pg.Client({ connectionString: postgres.url, application_name: 'a report' })
  await holder.connect()
  t.teardown(() => Promise.all([database.close(), holder.end()]))
  const named = {
    code: 'DATABASE_LOCKED',
    message: /55P03.*"locked".*\d+.*a report, idle in tran/
  }
  await holder.query('BEGIN; SELECT FROM locked')
  const more = { ...definition, columns: columnsOf(COLUMNS.parse({ etag: 'etag' })) }
  await t.rejects(migrateTable(database, more, options), named)
  await holder.query('LOCK TABLE locked')
  const asset = { asset_id: 'a1', public_id: 'a', resource_type: 'image', type: 'upload' }
  await t.rejects(new AssetRows(database, definition).put('demo', asset, '2026-06-01T12:00:00Z'), named)
  await holder.query('ROLLBACK')
  t.match(await new AssetRows(database, definition).put('demo', asset, '2026-06-01T12:00:00Z'), {
    outcome: 'inserted'
  })
})

t.test('works through PgBouncer in transaction mode', async (t) => {
  if (PGBOUNCER === undefined)
    return t.pass('PgBouncer is not installed: apt-get install pgbouncer', { skip: true })
  const url = await postgres.startBouncer()
  t.strictSame(await runHistories(url, seeds(t, 5), postgres.url), [])
  const times: Times = { connect: 5000, lock: 5000, statement: 50, answer: 5000 }
  const database = new Database(url, QUIET, times)
  await t.rejects(database.query('wait', 'SELECT pg_sleep(5)'), { message: /^cannot wait: 57014 / })
  await database.close()
  // other users of the pooled connections keep their own limits
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.strictSame((await client.query('SHOW statement_timeout')).rows, [{ statement_timeout: '0' }])
  await client.end()
})
