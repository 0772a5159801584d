import { type Config, inspectConfig } from '../../app/config.ts'
import { createLogger } from '../../app/logger.ts'
import { migrate } from '../../app/operator/migrate.ts'
import { type EmbeddedPostgres, startPostgres } from '../postgres.ts'
import type { Provision, Situation } from './provisions.ts'

/** Starts PostgreSQL in this process, and has the processors that require it migrate, as the command `migrate` does. */
export async function providePostgres({
  processors,
  environment
}: Omit<Situation, 'standIns'>): Promise<Provision> {
  const postgres = await startPostgres()
  try {
    const { config } = inspectConfig([], { ...environment, ...postgres.environment })
    await migrate({
      listener: { processors },
      // what is bad in it is said by the roles
      config: config as Config,
      log: createLogger({ level: 'silent', role: 'command' }),
      print: () => {},
      dryRun: false
    })
    const hints = await hintsOf(postgres)
    return { environment: postgres.environment, hints, stop: postgres.stop }
  } catch (error) {
    await postgres.stop()
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
