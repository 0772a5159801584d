import t from 'tap'
import { loseAndFind } from './lost.ts'

/** `npm run test:reconcile`: the test of the same name with 2,000 notifications, and its figures. */
const NOTIFICATIONS = 2000

t.setTimeout(0)

const { told, lost, missing, found, first, second, runs, seconds } = await loseAndFind(t, NOTIFICATIONS)
t.strictSame(missing, lost, 'what was lost was not run')
t.strictSame(found, missing, 'what was found is what was missing')
t.strictSame(second.sent, [], 'a second pass finds nothing')
t.strictSame([...runs.keys()].sort(), told.toSorted(), 'everything was run')
t.strictSame(
  [...runs].filter(([, times]) => times !== 1),
  [],
  'nothing was run twice'
)
t.comment(
  `${told.length} notifications, ${lost.length} lost; found: ${found.length}, by a second pass: ${second.sent.length}; ` +
    `the pass took ${seconds.toFixed(1)} s`
)
t.comment(first.lines.at(-2))
t.comment(second.lines.at(-1))
