import { join } from 'node:path'
import t from 'tap'
import { inspectConfigFile } from '../../../dev/start/inspect-config.ts'
import { CHILD_ENVIRONMENT } from '../../support/system.ts'

const LISTENER = JSON.stringify(import.meta.resolve('../../../app/listener.ts'))

t.test('reports a file that ends the process, with the reason', async (t) => {
  const directory = t.testdir({
    'exits.ts': 'process.exit(7)',
    'waits.ts': 'await new Promise(() => {})'
  })
  for (const [name, reason] of [
    ['exits.ts', /exits\.ts: .*exit code 7/],
    ['waits.ts', /waits\.ts: .*`await`/]
  ] as const) {
    const path = join(directory, name)
    const report = await inspectConfigFile(path, CHILD_ENVIRONMENT)
    t.match(report, { outcome: 'invalid', files: [path], message: reason, stack: '' })
  }
})

t.test('loads a file with the given environment', async (t) => {
  const directory = t.testdir({
    'config.ts': `import { databaseSync, defineListener } from ${LISTENER}
      export default defineListener({ processors: [databaseSync({ name: process.env.NAME })] })`
  })
  const report = await inspectConfigFile(join(directory, 'config.ts'), { ...CHILD_ENVIRONMENT, NAME: 'rows' })
  t.match(report, { outcome: 'loaded', processors: [{ name: 'rows', requires: ['DATABASE_URL'] }] })
})
