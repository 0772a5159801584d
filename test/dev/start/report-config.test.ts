import { join } from 'node:path'
import t, { type Test } from 'tap'
import { inspectConfigFile } from '../../../dev/start/inspect-config.ts'
import { COVERED } from '../../support/role.ts'
import { CHILD_ENVIRONMENT } from '../../support/system.ts'

async function inspect(t: Test, files: Record<string, string>) {
  const directory = t.testdir(files)
  const report = await inspectConfigFile(join(directory, 'config.ts'), { ...CHILD_ENVIRONMENT, ...COVERED })
  const beside = report.files.filter((file) => file.startsWith(directory))
  return { report, names: beside.map((file) => file.slice(directory.length + 1)).toSorted() }
}

t.test('what is in the file, and which files it imports, but those in node_modules', async (t) => {
  const { report, names } = await inspect(t, {
    'config.ts': `import 'pino'
      import { mine } from './mine.ts'
      const other = await import('./other.ts')
      export default { processors: [mine, other.default] }`,
    'mine.ts': `import data from './data.json' with { type: 'json' }
      export const mine = { name: data.name, on: ['upload'], requires: ['PORT', { name: 'CMS_URL', schema: { safeParse: () => ({ success: true }) }, example: 'http://cms' }], handle() {} }`,
    'other.ts': "export default { name: 'other', on: ['*'], handle() {} }",
    'data.json': '{ "name": "mine" }',
    'unused.ts': ''
  })
  t.match(report, {
    outcome: 'loaded',
    processors: [
      { name: 'mine', requires: ['PORT', 'CMS_URL'], examples: { CMS_URL: 'http://cms' } },
      { name: 'other', requires: [], examples: {} }
    ]
  })
  t.strictSame(names, ['config.ts', 'data.json', 'mine.ts', 'other.ts'])
  t.strictSame(
    report.files.filter((file) => file.includes('/node_modules/')),
    []
  )
})

t.test('a file that cannot be loaded: why, and what may correct it', async (t) => {
  const { report, names } = await inspect(t, {
    'config.ts': "import './there.ts'\nimport './missing.ts'",
    'there.ts': ''
  })
  t.match(report, {
    outcome: 'invalid',
    message: /config\.ts:2: it imports \S+missing\.ts, which does not exist/,
    stack: /ERR_MODULE_NOT_FOUND/
  })
  t.strictSame(names, ['config.ts', 'missing.ts', 'there.ts'])
  t.match(await inspect(t, { 'config.ts': "import 'no-such-package'" }), {
    report: { outcome: 'invalid', message: /the package no-such-package is not installed/ },
    names: ['config.ts']
  })
  t.match(await inspect(t, { 'config.ts': "import 'http://example.com/x.ts'" }), {
    report: { outcome: 'invalid', message: /^\S*fixtures\S*config\.ts: / }
  })
  t.match(await inspect(t, { 'config.ts': 'export const a = 1' }), {
    report: { outcome: 'invalid', message: /no default export/, stack: '' }
  })
})
