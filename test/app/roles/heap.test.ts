import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { collectGarbage } from '../../../app/roles/heap.ts'

t.test('collects unreachable objects', async (t) => {
  const abandoned = new WeakRef({})
  // until then the reference itself holds it
  await nextTurn()
  collectGarbage()
  t.equal(abandoned.deref(), undefined)
})
