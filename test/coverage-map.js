import { existsSync, globSync, readdirSync } from 'node:fs'

const filesIn = (directory) => readdirSync(directory).map((name) => `${directory}/${name}`)

const SETTINGS = [
  'infra/settings.ts',
  'infra/setting-values.ts',
  'infra/read-settings.ts',
  'infra/number-regex.ts'
]

/**
 * Test files that cover several source files. Loading the CDK takes seconds, so one test file covers everything that
 * needs it; and the parts of a bill only make sense together.
 */
const COVERS = {
  'test/infra/settings.test.ts': SETTINGS,
  'test/infra/app.test.ts': filesIn('infra').filter((source) => !SETTINGS.includes(source)),
  'test/dev/cost.test.ts': ['dev/cost.ts', ...filesIn('dev/cost')]
}

/** Groups that leave out the folders of their directory. */
const TOP_LEVEL = new Set(['test/app.group.ts', 'test/dev.group.ts'])

/**
 * A test file must cover its source file: test/app/queue/batcher.test.ts → app/queue/batcher.ts. A group runs the tests
 * of a directory in one process, so together they must cover the source files of all of them: test/app/queue.group.ts →
 * app/queue/; test/app.group.ts → the files of app/ itself. System tests (test/system/) have no source file, so coverage is not checked for them.
 */
const sourcesOf = (test) => {
  if (Object.hasOwn(COVERS, test)) return COVERS[test]
  if (test.endsWith('.group.ts'))
    return globSync(test.replace('.group.ts', TOP_LEVEL.has(test) ? '/*.test.ts' : '/**/*.test.ts')).flatMap(
      sourcesOf
    )
  const source = test.replace(/^test\//, '').replace(/\.test\.ts$/, '.ts')
  return existsSync(source) ? [source] : []
}

export default (test) => {
  const sources = sourcesOf(test)
  return sources.length > 0 ? sources : null
}
