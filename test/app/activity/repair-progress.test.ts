import t from 'tap'
import type { Repair } from '../../../app/activity/repair.ts'
import { RepairProgress } from '../../../app/activity/repair-progress.ts'
import { iso, ManualTime, memoryLog, NOW } from '../../support/activity.ts'
import { MemoryRepairStore } from '../../support/repairs.ts'

const build = () => {
  const repair: Repair = {
    ...{ id: 'r1', kind: 'replay', state: 'running', by: 'anna', from: 'page', at: iso(NOW) },
    ...{ updatedAt: iso(NOW), total: 30, sent: 0, discarded: 0, failed: 0, failures: [] }
  }
  const time = new ManualTime()
  const store = new MemoryRepairStore()
  const { log, lines } = memoryLog()
  return {
    time,
    store,
    lines,
    progress: new RepairProgress(repair, { store, log, ...time, every: time.every })
  }
}

t.test('counts, and keeps the first failures', async (t) => {
  const { progress, store } = build()
  await progress.begin()
  progress.handled('sent')
  for (let event = 0; event < 29; event++) progress.failedEvent(`e${event}`, new Error('no'))
  await progress.end(true)
  const { failures, ...repair } = progress.repair
  t.match(repair, { state: 'done', sent: 1, failed: 29 })
  t.equal(failures.length, 20)
  t.match(await store.find('r1'), { state: 'done', failed: 29 })
})

t.test('saves in the background one at a time, and waits for the last one', async (t) => {
  const { progress, store, time } = build()
  await progress.begin()
  const { promise, resolve } = Promise.withResolvers<void>()
  const { save } = store
  let saves = 0
  store.save = async (repair) => {
    saves++
    await promise
    return save.call(store, repair)
  }
  await time.pass(3000)
  t.equal(saves, 1)
  const ended = progress.end(true)
  resolve()
  await ended
  t.equal(saves, 2)
  t.equal(store.saved.at(-1)?.state, 'done')
})

t.test('the first error and the first abort count', async (t) => {
  const { progress, lines } = build()
  progress.abort('anna')
  progress.abort('bob')
  t.ok(progress.signal.aborted)
  progress.stop(new Error('first'))
  progress.stop(new Error('second'))
  await progress.end(false)
  t.match(progress.repair, { state: 'failed', abortedBy: 'anna', error: { message: 'first' } })
  t.match(lines, [
    { msg: 'replay abort requested', by: 'anna' },
    { msg: 'replay ended', state: 'failed' }
  ])
})
