import t from 'tap'
import { type EmbeddedPostgres, startPostgres } from '../../dev/embedded-postgres.ts'

let shared: Promise<EmbeddedPostgres> | undefined

/**
 * Returns a PostgreSQL for all test files of this process, since a start takes seconds of CPU time. Test files
 * must remove what they create in it.
 *
 * @param empty path of a cached empty database, for the first call
 */
export function sharedPostgres(empty?: string): Promise<EmbeddedPostgres> {
  if (!shared) {
    shared = startPostgres(empty)
    t.teardown(async () => (await shared)?.stop())
  }
  return shared
}
