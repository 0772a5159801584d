import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import t, { type Test } from 'tap'
import { reportConfig } from '../../../dev/start/report-config.ts'
import { COVERED } from '../../support/role.ts'
import { CHILD_ENVIRONMENT } from '../../support/system.ts'

async function report(t: Test, files: Record<string, string>) {
  const directory = t.testdir(files)
  const report = await reportConfig(join(directory, 'config.ts'))
  const own = report.files.filter((file) => file.startsWith(directory))
  return { report, names: own.map((file) => file.slice(directory.length + 1)).toSorted() }
}

t.test('reports the processors, and the imported files except those in node_modules', async (t) => {
  const { report: loaded, names } = await report(t, {
    'config.ts': `import 'pino'
      import { mine } from './mine.ts'
      const other = await import('./other.ts')
      export default { processors: [mine, other.default] }`,
    'mine.ts': `import data from './data.json' with { type: 'json' }
      const schema = { safeParse: () => ({ success: true }) }
      const requires = ['PORT', { name: 'CMS_URL', schema, example: 'http://cms' }]
      export const mine = { name: data.name, on: ['upload'], requires, handle() {} }`,
    'other.ts': "export default { name: 'other', on: ['*'], handle() {} }",
    'data.json': '{ "name": "mine" }',
    'unused.ts': ''
  })
  t.match(loaded, {
    outcome: 'loaded',
    processors: [
      { name: 'mine', requires: ['PORT', 'CMS_URL'], examples: { CMS_URL: 'http://cms' } },
      { name: 'other', requires: [], examples: {} }
    ]
  })
  t.strictSame(names, ['config.ts', 'data.json', 'mine.ts', 'other.ts'])
  t.strictSame(
    loaded.files.filter((file) => file.includes('/node_modules/')),
    []
  )
})

t.test('reports a missing import, and watches for it', async (t) => {
  const { report: invalid, names } = await report(t, {
    'config.ts': "import './there.ts'\nimport './missing.ts'",
    'there.ts': ''
  })
  t.match(invalid, {
    outcome: 'invalid',
    message: /config\.ts:2: .*missing\.ts/,
    stack: /ERR_MODULE_NOT_FOUND/
  })
  t.strictSame(names, ['config.ts', 'missing.ts', 'there.ts'])
})

for (const [what, text, message] of [
  ['a package that is not installed', "import 'no-such-package'", /no-such-package/],
  ['a URL', "import 'http://example.com/x.ts'", /config\.ts: /],
  ['no default export', 'export const a = 1', /no default export/]
] as const) {
  t.test(`reports ${what}`, async (t) => {
    const { report: invalid, names } = await report(t, { 'config.ts': text })
    t.match(invalid, { outcome: 'invalid', message })
    t.strictSame(names, ['config.ts'])
  })
}

t.test('run as a process, sends the report to its parent', async (t) => {
  const child = fork('dev/start/report-config.ts', ['./nowhere.ts'], {
    env: { ...CHILD_ENVIRONMENT, ...COVERED },
    // by default, tap's options for this process
    execArgv: []
  })
  const ended = once(child, 'exit')
  const [{ outcome, files }] = await once(child, 'message')
  t.equal(outcome, 'invalid')
  t.ok(files.includes(resolve('nowhere.ts')))
  t.strictSame(await ended, [0, null])
})
