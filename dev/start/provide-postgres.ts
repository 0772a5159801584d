import { type EmbeddedPostgres, startPostgres } from '../embedded-postgres.ts'
import type { ProvidedService, ProviderContext } from './provided-service.ts'

/** Starts PostgreSQL in this process, and migrates it for the processors. */
export async function providePostgres(
  { migrate }: Pick<ProviderContext, 'migrate'>,
  start = startPostgres
): Promise<ProvidedService> {
  const postgres = await start()
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
    `  PostgreSQL  ${url} (embedded; starts empty each time)`,
    '              to look into it, in another terminal, run one of:',
    ...rows.flatMap(({ name }) => [
      `                npm run sql -- --url ${url} "SELECT * FROM ${name}"`,
      `                psql ${url} -x -c "SELECT * FROM ${name}"`
    ])
  ]
}
