import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Collects what is unreachable, so that weak references to it are empty. */
export async function collectGarbage(): Promise<void> {
  // a new WeakRef keeps its target alive until the next turn
  await nextTurn()
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
