import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { keepHeapSmall } from '../../../app/roles/heap.ts'

t.test('collects unreachable objects', async (t) => {
  const abandoned = new WeakRef({})
  // a new WeakRef keeps its target alive until the next turn
  await nextTurn()
  keepHeapSmall()
  t.equal(abandoned.deref(), undefined)
})
