import { parseArgs } from 'node:util'
import { Client } from 'pg'

const USAGE = `Usage: npm run sql -- [--url postgres://…] "SELECT …"

Runs a statement and prints each row as a JSON object, for machines without psql. \`npm start\` prints the URL
of the embedded PostgreSQL.

  --url   default: DATABASE_URL
`

const { values, positionals } = parseArgs({
  options: { url: { type: 'string', default: process.env.DATABASE_URL ?? '' }, help: { type: 'boolean' } },
  allowPositionals: true
})
const [statement] = positionals
if (values.help || statement === undefined || values.url === '') {
  process.stdout.write(USAGE)
  process.exitCode = values.help ? 0 : 2
} else {
  await run(values.url, statement)
}

async function run(connectionString: string, statement: string): Promise<void> {
  const client = new Client({ connectionString })
  try {
    await client.connect()
    const { rows, command } = await client.query(statement)
    for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`)
    process.stderr.write(`${command}: ${rows.length}\n`)
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    process.stderr.write(`${code}: ${message}\n`)
    process.exitCode = 1
  } finally {
    await client.end()
  }
}
