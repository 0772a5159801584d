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
  const client = new Client({ connectionString: values.url })
  try {
    await client.connect()
    const { rows, command } = await client.query(statement)
    for (const row of rows) stdout.write(`${JSON.stringify(row)}\n`)
    stderr.write(`${command}: ${rows.length}\n`)
    return 0
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    stderr.write(`${code}: ${message}\n`)
    return 1
  } finally {
    await client.end()
  }
}

if (import.meta.main) process.exitCode = await runSql(process.argv.slice(2), process)
