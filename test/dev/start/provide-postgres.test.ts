import { Client } from 'pg'
import t from 'tap'
import { databaseSync, type Processor } from '../../../app/listener.ts'
import { providePostgres } from '../../../dev/start/provide-postgres.ts'

t.test('the tables are there, and the hints say how to look into them', async (t) => {
  const { environment, hints, stop } = await providePostgres({
    processors: [databaseSync(), databaseSync({ name: 'second', schema: 'media', table: 'assets' })],
    environment: {}
  })
  t.teardown(stop)
  const url = environment.DATABASE_URL!
  t.match(hints[0], url)
  const statements = hints.flatMap((hint) => /npm run sql .*"(.*)"/.exec(hint)?.[1] ?? [])
  t.strictSame(statements, ['SELECT * FROM cloudinary_assets', 'SELECT * FROM media.assets'])
  const client = new Client({ connectionString: url })
  await client.connect()
  for (const statement of statements) t.strictSame((await client.query(statement)).rows, [])
  await client.end()
})

t.test('a migration that fails is thrown, and the database stopped', async (t) => {
  let url = ''
  const broken: Processor = {
    name: 'broken',
    on: ['*'],
    handle: () => {},
    async migrate({ config }) {
      url = config.DATABASE_URL!
      throw new Error('no such luck')
    }
  }
  await t.rejects(providePostgres({ processors: [broken], environment: {} }), { message: 'no such luck' })
  await t.rejects(new Client({ connectionString: url }).connect(), { code: 'ECONNREFUSED' })
})
