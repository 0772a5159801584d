import { type EmbeddedPostgres, startPostgres } from '../embedded-postgres.ts'
import type { Provision, Situation } from './provisions.ts'

/** Starts PostgreSQL in this process, and has the processors that require it migrate. */
export async function providePostgres({ migrate }: Pick<Situation, 'migrate'>): Promise<Provision> {
  const postgres = await startPostgres()
  const { environment, stop } = postgres
  try {
    const refresh = () => migrate(environment)
    await refresh()
    return { environment, hints: await hintsOf(postgres), refresh, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function hintsOf({ db, url }: EmbeddedPostgres): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class
      WHERE relkind = 'r' AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
      ORDER BY name`
  )
  return [
    `  PostgreSQL  ${url} (embedded; empty again at the next start)`,
    '              look into it, in another terminal, by one of:',
    ...rows.flatMap(({ name }) => [
      `                npm run sql -- --url ${url} "SELECT * FROM ${name}"`,
      `                psql ${url} -x -c "SELECT * FROM ${name}"`
    ])
  ]
}
