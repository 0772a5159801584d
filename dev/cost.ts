import { PRICES_OF } from './cost/prices.ts'
import { TABLES } from './docs.ts'

const USAGE = `Usage: npm run cost

Prints the monthly cost on AWS at several volumes, the number of tasks at several rates, and their inputs and
prices. docs/cost.md and docs/scale.md have the same tables (npm run docs). To change inputs, edit dev/cost/.
`

if (process.argv.includes('--help')) {
  process.stdout.write(USAGE)
} else {
  const { region, date } = PRICES_OF
  const tables = TABLES.filter(({ source }) => source === 'dev/cost/').map(({ render }) => render())
  process.stdout.write(`${region}, list prices of ${date}\n\n${tables.join('\n\n')}\n`)
}
