import t from 'tap'
import { aTwentieth, loseAndFind } from './lose-and-find.ts'

/**
 * `npm run test:reconcile [SEED…]`: loses and finds notifications, 2,000 for each seed, and prints a table.
 */
const NOTIFICATIONS = 2000

const SEEDS =
  process.argv.length > 2 ? process.argv.slice(2) : Array.from({ length: 20 }, (_, index) => `${index + 1}`)

t.setTimeout(0)

const rows: Record<string, number | string>[] = []
for (const seed of SEEDS) {
  await t.test(`seed ${seed}`, { timeout: 0 }, async (t) => {
    const { told, lost, missing, found, second, runs, seconds } = await loseAndFind(
      t,
      NOTIFICATIONS,
      aTwentieth(seed)
    )
    const twice = [...runs].filter(([, times]) => times !== 1)
    rows.push({
      seed,
      notified: told.length,
      lost: lost.length,
      found: found.length,
      'found again': second.sent.length,
      'not run': told.length - runs.size,
      'run twice': twice.length,
      'pass, s': seconds.toFixed(1)
    })
    t.strictSame(missing, lost, 'lost events did not run')
    t.strictSame(found, missing, 'found exactly the missing events')
    t.strictSame(second.sent, [], 'a second pass finds nothing')
    t.strictSame([...runs.keys()].sort(), told.toSorted(), 'every event ran')
    t.strictSame(twice, [], 'no event ran twice')
  })
}
console.table(rows)
