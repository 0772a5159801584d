import { existsSync } from 'node:fs'

/**
 * One test file covers one source file: test/app/queue/batcher.test.ts → app/queue/batcher.ts.
 * Tests of the whole (test/system/) cover no single file, so none is asked of them.
 */
export default (test) => {
  const source = test.replace(/^test\//, '').replace(/\.test\.ts$/, '.ts')
  return existsSync(source) ? source : null
}
