import { PRICES_OF } from './cost/prices.ts'
import { TABLES } from './docs.ts'

const USAGE = `Usage: npm run cost

Prints what a month on AWS costs with the settings' defaults, at several volumes; how many tasks several rates take; and all
that it is computed from. docs/cost.md and docs/scale.md have the same tables (npm run docs).
To ask for other volumes, traffic or prices, edit dev/cost/.
`

if (process.argv.includes('--help')) {
  process.stdout.write(USAGE)
} else {
  const { region, date } = PRICES_OF
  const tables = TABLES.filter(({ source }) => source === 'dev/cost/').map(({ render }) => render())
  process.stdout.write(`${region}, list prices of ${date}\n\n${tables.join('\n\n')}\n`)
}
