import { existsSync, globSync, readdirSync } from 'node:fs'

const filesIn = (directory) => readdirSync(directory).map((name) => `${directory}/${name}`)

const SETTINGS = ['infra/settings.ts', 'infra/setting-values.ts', 'infra/more-than.ts']

/**
 * What covers more than one file: a process that loads the CDK takes seconds, so one test covers all that needs it; and the
 * parts of a bill make sense together.
 */
const COVERS = {
  'test/infra/settings.test.ts': SETTINGS,
  'test/infra/app.test.ts': filesIn('infra').filter((source) => !SETTINGS.includes(source)),
  'test/dev/cost.test.ts': ['dev/cost.ts', ...filesIn('dev/cost')]
}

/**
 * One test file covers one source file: test/app/queue/batcher.test.ts → app/queue/batcher.ts. A group covers what the
 * tests that it runs cover: test/app/queue.group.ts runs those in test/app/queue/.
 * Tests of the whole (test/system/) cover no single file, so none is asked of them.
 */
const sourcesOf = (test) => {
  if (Object.hasOwn(COVERS, test)) return COVERS[test]
  if (test.endsWith('.group.ts'))
    return globSync(test.replace('.group.ts', '/**/*.test.ts')).flatMap(sourcesOf)
  const source = test.replace(/^test\//, '').replace(/\.test\.ts$/, '.ts')
  return existsSync(source) ? [source] : []
}

export default (test) => {
  const sources = sourcesOf(test)
  return sources.length > 0 ? sources : null
}
