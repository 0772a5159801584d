import { startDebianPostgres } from '../../support/debian-postgres.ts'
import { runHistories } from './check.ts'

// `SEEDS` histories, from the seed `FROM` on: what npm test does with a few dozen
const count = Number(process.env.SEEDS ?? 1000)
const from = Number(process.env.FROM ?? Math.floor(Math.random() * 1_000_000))
const postgres = await startDebianPostgres()
try {
  process.stdout.write(`seeds ${from} to ${from + count - 1}\n`)
  const seeds = Array.from({ length: count }, (_, index) => from + index)
  const differences = await runHistories(postgres.url, seeds)
  for (const difference of differences) process.stdout.write(`${JSON.stringify(difference)}\n`)
  process.stdout.write(`${differences.length} of ${count} histories left the table out of step\n`)
  process.exitCode = differences.length === 0 ? 0 : 1
} finally {
  await postgres.stop()
}
