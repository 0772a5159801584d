import t from 'tap'
import { buildPostgres } from '../../support/postgres.ts'

/** The embedded PostgreSQL takes seconds to start, so the tests of this process share one, each with its table. */
export const { postgres, database } = await buildPostgres(t)
