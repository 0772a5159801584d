import { ListenerError } from '../../errors.ts'
import type { Query } from './postgres.ts'

/** Sessions that an error names at most. */
const MAXIMUM_NAMED = 3

/**
 * Runs work on a table. Where it fails since another session kept a lock, the error names the sessions that hold one:
 * PostgreSQL itself does not say which. Through PgBouncer the process id is the one of PostgreSQL's own session.
 *
 * @param table its name in SQL
 * @throws what `work` throws
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
    throw new ListenerError(
      'DATABASE_LOCKED',
      `${error.message}. Sessions that hold a lock on ${table}: ${named}`
    )
  }
}

/** Row locks and advisory locks come with a lock on the table. The oldest transaction comes first. */
async function holdersOf(query: Query, table: string): Promise<string[]> {
  const rows = await query(
    'look for who holds a lock',
    `SELECT a.pid, a.usename AS "user", a.application_name AS application, a.state,
        to_char(a.xact_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
      FROM pg_stat_activity a
      WHERE a.pid <> pg_backend_pid() AND EXISTS (
        SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted AND l.relation = to_regclass($1)
      )
      ORDER BY a.xact_start LIMIT ${MAXIMUM_NAMED}`,
    [table]
  )
  return rows.map(
    ({ pid, user, application, state, since }) =>
      `process ${pid} of ${user} (${[application, state ?? 'state unknown'].filter(Boolean).join(', ')}), since ${since}`
  )
}
