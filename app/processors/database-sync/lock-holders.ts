import { ListenerError } from '../../errors.ts'
import type { Query } from './postgres.ts'

/** Maximum sessions that an error names. */
const MAX_HOLDERS = 3

/**
 * Runs work on a table. If it fails because of a lock, adds the sessions that hold one to the error:
 * PostgreSQL does not name them. Behind PgBouncer, process ids are those of the server sessions.
 *
 * @param table its name in SQL
 * @throws errors of `work`
 */
export async function namingLockHolders<Result>(
  query: Query,
  table: string,
  work: () => Promise<Result>
): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ListenerError) || error.code !== 'DATABASE_LOCKED') throw error
    const holders = await holdersOf(query, table).catch(() => [])
    const named = holders.length === 0 ? 'none any more' : holders.join('; ')
    throw new ListenerError('DATABASE_LOCKED', `${error.message}. Sessions that lock ${table}: ${named}`)
  }
}

/** Finds sessions by their lock on the table: each row lock or advisory lock comes with one. Oldest first. */
async function holdersOf(query: Query, table: string): Promise<string[]> {
  const rows = await query(
    'find lock holders',
    `SELECT a.pid, a.usename AS "user", a.application_name AS application, a.state,
        to_char(a.xact_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
      FROM pg_stat_activity a
      WHERE a.pid <> pg_backend_pid() AND EXISTS (
        SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted AND l.relation = to_regclass($1)
      )
      ORDER BY a.xact_start LIMIT ${MAX_HOLDERS}`,
    [table]
  )
  return rows.map(
    ({ pid, user, application, state, since }) =>
      `process ${pid} of ${user} (${[application, state ?? 'state unknown'].filter(Boolean).join(', ')}), since ${since}`
  )
}
