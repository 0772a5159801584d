import { spawnSync } from 'node:child_process'
import t from 'tap'
import { runSql } from '../../dev/sql.ts'
import { sharedPostgres } from './shared-postgres.ts'

const { url, db } = await sharedPostgres()
await db.exec('CREATE TABLE assets AS SELECT 1 AS id, ARRAY[\'a "tag"\'] AS tags')
t.teardown(() => db.exec('DROP TABLE assets'))

/** Runs the command in this process. */
async function sql(args: string[], DATABASE_URL?: string) {
  let output = ''
  let errors = ''
  const code = await runSql(args, {
    env: { DATABASE_URL },
    stdout: { write: (text) => (output += text) },
    stderr: { write: (text) => (errors += text) }
  })
  return { code, output, errors }
}

t.test('prints each row as a JSON line', async (t) => {
  t.strictSame(await sql(['--url', url, 'SELECT * FROM assets']), {
    code: 0,
    output: '{"id":1,"tags":["a \\"tag\\""]}\n',
    errors: 'SELECT: 1\n'
  })
})

t.test('prints errors, and exits 1', async (t) => {
  t.strictSame(await sql(['SELECT * FROM nowhere'], url), {
    code: 1,
    output: '',
    errors: '42P01: relation "nowhere" does not exist\n'
  })
  t.match(await sql(['--url', 'postgres://127.0.0.1:9/x', 'SELECT 1']), { code: 1, errors: /^ECONNREFUSED/ })
})

t.test('as a process, reads its arguments and sets the exit code', async (t) => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['dev/sql.ts', ...args], { encoding: 'utf8' })
  t.match(run('--url', 'postgres://127.0.0.1:9/x', 'SELECT 1'), {
    status: 1,
    stdout: /^$/,
    stderr: /^ECONNREFUSED/
  })
})

t.test('prints the usage on request, and for missing arguments', async (t) => {
  t.match(await sql(['--help']), { code: 0, output: /^Usage: npm run sql/ })
  t.match(await sql(['SELECT 1']), { code: 2, output: /^Usage: npm run sql/ })
})
