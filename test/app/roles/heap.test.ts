import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { collectGarbage } from '../../../app/roles/heap.ts'

t.test('collects unreachable objects', async (t) => {
  const abandoned = new WeakRef({})
  // a new WeakRef keeps its target alive until the next turn
  await nextTurn()
  collectGarbage()
  t.equal(abandoned.deref(), undefined)
})
