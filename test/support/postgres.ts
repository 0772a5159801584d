import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Test } from 'tap'
import type { Logger } from '../../app/logger.ts'
import { Database, type Times } from '../../app/processors/database-sync/database.ts'
import { type EmbeddedPostgres, startPostgres } from '../../dev/postgres.ts'
import manifest from '../../package.json' with { type: 'json' }
import { QUIET } from './operator.ts'

const EMPTY = `.tap/postgres/${manifest.devDependencies['@electric-sql/pglite']}.tar`

/** An empty PostgreSQL. To make one takes seconds, so the first test that needs one leaves it for the others to load. */
export async function startEmptyPostgres(): Promise<EmbeddedPostgres> {
  if (existsSync(EMPTY)) return startPostgres(new Blob([await readFile(EMPTY)]))
  const postgres = await startPostgres()
  const dump = await postgres.db.dumpDataDir('none')
  await mkdir(dirname(EMPTY), { recursive: true })
  // others may be at it as well: the file is whole, or not there
  const own = `${EMPTY}.${process.pid}`
  await writeFile(own, dump.stream())
  await rename(own, EMPTY)
  return postgres
}

/** A PostgreSQL for a file of tests, and what asks it as `databaseSync` does. */
export async function buildPostgres(t: Test, log: Logger = QUIET) {
  const postgres = await startEmptyPostgres()
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
