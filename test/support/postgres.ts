import type { Test } from 'tap'
import type { Logger } from '../../app/logger.ts'
import { Database, type Times } from '../../app/processors/database-sync/postgres.ts'
import { startPostgres } from '../../dev/embedded-postgres.ts'
import { QUIET } from './operator.ts'

/** Starts the embedded PostgreSQL, and opens it with the client of `databaseSync`. */
export async function buildPostgres(t: Test, log: Logger = QUIET) {
  const postgres = await startPostgres()
  const opened: Database[] = []
  const open = (url = postgres.url, times?: Times) => {
    const database = new Database(url, log, times)
    opened.push(database)
    return database
  }
  t.teardown(async () => {
    await Promise.all(opened.map((database) => database.close()))
    await postgres.stop()
  })
  return { postgres, database: open(), open }
}
