import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Runs one full garbage collection after the start, which takes about 30 ms. V8 derives its heap limits from
 * what a full collection leaves. On a host with much memory the first one would come late, after a busy
 * process has grown by 100 MB that it never releases.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
