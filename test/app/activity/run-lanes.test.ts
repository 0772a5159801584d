import t from 'tap'
import { runLanes } from '../../../app/activity/run-lanes.ts'

const LANES = [['a1', 'a2'], ['b1'], ['c1', 'c2']]

t.test('handles lanes concurrently, and each in order', async (t) => {
  const handled: string[] = []
  let running = 0
  let most = 0
  const { signal } = new AbortController()
  const isWhole = await runLanes(LANES, { concurrency: 2, signal }, async (id) => {
    most = Math.max(most, ++running)
    await Promise.resolve()
    running--
    handled.push(id)
  })
  t.ok(isWhole)
  t.equal(most, 2)
  t.strictSame(handled.toSorted(), ['a1', 'a2', 'b1', 'c1', 'c2'])
  t.ok(handled.indexOf('a1') < handled.indexOf('a2'))
  t.ok(await runLanes([], { concurrency: 2, signal }, async () => {}))
})

t.test('an abort leaves the events that have not begun', async (t) => {
  const abort = new AbortController()
  const handled: string[] = []
  const isWhole = await runLanes(LANES, { concurrency: 1, signal: abort.signal }, async (id) => {
    handled.push(id)
    if (id === 'b1') abort.abort()
  })
  t.notOk(isWhole)
  t.strictSame(handled, ['a1', 'a2', 'b1'])
})
