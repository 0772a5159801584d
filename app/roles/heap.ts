import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Growth of the heap until the next full collection, in percent of what the last one left. V8's own limit for
 * a heap of 25 MB is about 100 %; a worker then took 210 MB.
 */
const GROWTH_PERCENT = 20

/**
 * Limits the growth of the heap, and runs one full collection, which takes about 30 ms. Call it after the
 * start: V8 derives its limits from what a full collection leaves, and on a host with much memory the first
 * one would come late, after a busy process has grown by 100 MB that it never releases.
 *
 * The maximum of the heap is unchanged.
 */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
