import { existsSync, readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { filesOf } from './groups/groups.ts'

const filesIn = (directory: string) => readdirSync(directory).map((name) => `${directory}/${name}`)

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
const COVERS: Readonly<Record<string, readonly string[]>> = {
  'test/infra/settings.test.ts': SETTINGS,
  'test/infra/app.test.ts': filesIn('infra').filter((source) => !SETTINGS.includes(source)),
  'test/dev/cost.test.ts': ['dev/cost.ts', ...filesIn('dev/cost')]
}

/**
 * A test file must cover its source file: test/app/queue/batcher.test.ts → app/queue/batcher.ts. A group runs
 * several test files in one process, so together they must cover their source files. System tests have no source
 * file, so their coverage is not checked.
 */
function sourcesOf(test: string): readonly string[] {
  if (test.startsWith('test/groups/')) return filesOf(basename(test, '.ts')).flatMap(sourcesOf)
  if (COVERS[test]) return COVERS[test]
  const source = test.replace(/^test\//, '').replace(/\.test\.ts$/, '.ts')
  return existsSync(source) ? [source] : []
}

export default (test: string) => {
  const sources = sourcesOf(test)
  return sources.length > 0 ? sources : null
}
