import { execFile } from 'node:child_process'
import t from 'tap'
import { buildPostgres } from '../support/postgres.ts'

const { postgres, database } = await buildPostgres(t)
await database.query('make', 'CREATE TABLE assets AS SELECT 1 AS id, ARRAY[\'a "tag"\'] AS tags')

/** Runs the command in its own process. */
function sql(args: string[], DATABASE_URL?: string) {
  const { DATABASE_URL: _, ...env } = process.env
  return new Promise<{ code: number | null; output: string; errors: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      ['dev/sql.ts', ...args],
      { env: { ...env, ...(DATABASE_URL && { DATABASE_URL }) } },
      (_error, output, errors) => resolve({ code: child.exitCode, output, errors })
    )
  })
}

t.test('prints each row as a JSON line', async (t) => {
  t.strictSame(await sql(['--url', postgres.url, 'SELECT * FROM assets']), {
    code: 0,
    output: '{"id":1,"tags":["a \\"tag\\""]}\n',
    errors: 'SELECT: 1\n'
  })
})

t.test('prints errors, and exits 1', async (t) => {
  t.strictSame(await sql(['SELECT * FROM nowhere'], postgres.url), {
    code: 1,
    output: '',
    errors: '42P01: relation "nowhere" does not exist\n'
  })
  t.match(await sql(['--url', 'postgres://127.0.0.1:9/x', 'SELECT 1']), { code: 1, errors: /^ECONNREFUSED/ })
})

t.test('prints the usage on request, and for missing arguments', async (t) => {
  t.match(await sql(['--help']), { code: 0, output: /^Usage: npm run sql/ })
  t.match(await sql(['SELECT 1']), { code: 2, output: /^Usage: npm run sql/ })
})
