import type { Test } from 'tap'
import type { Logger } from '../../app/logger.ts'
import { Database, type Times } from '../../app/processors/database-sync/postgres.ts'
import { type EmbeddedPostgres, startPostgres } from '../../dev/embedded-postgres.ts'
import { QUIET } from './operator.ts'

let shared: Promise<EmbeddedPostgres> | undefined

/**
 * Opens an empty embedded PostgreSQL with the client of `databaseSync`. The test files of a group share one, which
 * takes seconds to start: each call empties it, and the first one's test stops it.
 */
export async function buildPostgres(t: Test, log: Logger = QUIET) {
  if (!shared) {
    shared = startPostgres()
    t.teardown(async () => {
      const postgres = await shared
      shared = undefined
      await postgres?.stop()
    })
  }
  const postgres = await shared
  await empty(postgres)
  const opened: Database[] = []
  const open = (url = postgres.url, times?: Times) => {
    const database = new Database(url, log, times)
    opened.push(database)
    return database
  }
  t.teardown(() => Promise.all(opened.map((database) => database.close())))
  return { postgres, database: open(), open }
}

/** Drops all tables, and resets the settings of the session. */
async function empty({ db }: EmbeddedPostgres): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    "SELECT quote_ident(nspname) AS name FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'"
  )
  for (const { name } of rows) await db.exec(`DROP SCHEMA ${name} CASCADE`)
  await db.exec('CREATE SCHEMA public')
  await db.exec('RESET ALL')
}
