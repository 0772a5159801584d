import { Client } from 'pg'
import t from 'tap'
import { migrate } from '../../../app/commands/migrate.ts'
import { readConfig } from '../../../app/config.ts'
import { databaseSync } from '../../../app/listener.ts'
import { createLogger } from '../../../app/logger.ts'
import type { EmbeddedPostgres } from '../../../dev/embedded-postgres.ts'
import { providePostgres } from '../../../dev/start/provide-postgres.ts'

const log = createLogger({ level: 'silent', role: 'command' })

let url = ''

t.test('migrates at the start and at a refresh, and hints at the tables', async (t) => {
  const processors = [databaseSync(), databaseSync({ name: 'second', schema: 'media', table: 'assets' })]
  const { environment, hints, refresh, stop } = await providePostgres({
    migrate: async (variables) => {
      const config = readConfig([], variables)
      await migrate({ listener: { processors }, config, log, print: () => {}, dryRun: false })
    }
  })
  t.teardown(stop)
  url = environment.DATABASE_URL!
  t.match(hints[0], url)
  const statements = hints.flatMap((hint) => /npm run sql .*"(.*)"/.exec(hint)?.[1] ?? [])
  t.strictSame(statements, ['SELECT * FROM cloudinary_assets', 'SELECT * FROM media.assets'])
  processors.push(databaseSync({ name: 'third', table: 'added' }))
  await refresh?.()
  const client = new Client({ connectionString: url })
  await client.connect()
  for (const statement of [...statements, 'SELECT * FROM added']) {
    t.strictSame((await client.query(statement)).rows, [])
  }
  await client.end()
})

t.test('a stop closes the database', async (t) => {
  await t.rejects(new Client({ connectionString: url }).connect(), { code: 'ECONNREFUSED' })
})

t.test('stops the database when a migration fails', async (t) => {
  const calls: string[] = []
  const environment = { DATABASE_URL: 'postgres://127.0.0.1:9/postgres' }
  const start = async () =>
    ({ environment, stop: async () => void calls.push('stop') }) as unknown as EmbeddedPostgres
  const broken = async (variables: Readonly<Record<string, string>>) => {
    calls.push(`migrate ${variables.DATABASE_URL}`)
    throw new Error('no such luck')
  }
  await t.rejects(providePostgres({ migrate: broken }, start), { message: 'no such luck' })
  t.strictSame(calls, [`migrate ${environment.DATABASE_URL}`, 'stop'])
})
