import { parseArgs } from 'node:util'
import { Client } from 'pg'

const USAGE = `Usage: npm run sql -- [--url postgres://…] "SELECT …"

Runs a statement and prints each row as a JSON object, for machines without psql. \`npm start\` prints the URL
of the embedded PostgreSQL.

  --url   default: DATABASE_URL
`

/** The part of `process` that is used. */
interface Host {
  env: Readonly<Record<string, string | undefined>>
  stdout: { write: (text: string) => unknown }
  stderr: { write: (text: string) => unknown }
}

/**
 * Runs the command.
 *
 * @returns the exit code: 1 after an error of the database, 2 for missing arguments
 */
export async function runSql(args: readonly string[], { env, stdout, stderr }: Host): Promise<0 | 1 | 2> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { url: { type: 'string', default: env.DATABASE_URL ?? '' }, help: { type: 'boolean' } },
    allowPositionals: true
  })
  const [statement] = positionals
  if (values.help || statement === undefined || values.url === '') {
    stdout.write(USAGE)
    return values.help ? 0 : 2
  }
  return query(values.url, statement, { stdout, stderr })
}

async function query(
  connectionString: string,
  statement: string,
  { stdout, stderr }: Pick<Host, 'stdout' | 'stderr'>
): Promise<0 | 1> {
  const client = new Client({ connectionString })
  let exitCode: 0 | 1 = 0
  try {
    await client.connect()
    const { rows, command } = await client.query(statement)
    for (const row of rows) stdout.write(`${JSON.stringify(row)}\n`)
    stderr.write(`${command}: ${rows.length}\n`)
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    stderr.write(`${code}: ${message}\n`)
    exitCode = 1
  } finally {
    await client.end()
  }
  return exitCode
}

if (import.meta.main) process.exitCode = await runSql(process.argv.slice(2), process)
