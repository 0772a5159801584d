import t from 'tap'
import { startInterval } from '../../app/interval.ts'

t.test('ticks until it is stopped', async (t) => {
  const twice = Promise.withResolvers<void>()
  let ticks = 0
  // the interval does not keep the process alive
  const alive = setTimeout(() => twice.reject(new Error('no tick within 5 s')), 5000)
  const stop = startInterval(1, () => {
    if (++ticks === 2) twice.resolve()
  })
  await twice.promise
  clearTimeout(alive)
  stop()
  const before = ticks
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.equal(ticks, before)
})
