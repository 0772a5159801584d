import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { VARIABLES } from '../../app/config.ts'
import { configurationTable, withTable } from '../../dev/config-docs.ts'

const SCRIPT = resolve('dev/config-docs.ts')

const runIn = (directory: string, ...args: string[]) =>
  spawnSync(process.execPath, [SCRIPT, ...args], { cwd: directory, encoding: 'utf8' })

t.test('the table has a row for each variable, with its default', async (t) => {
  const table = configurationTable()
  for (const name of Object.keys(VARIABLES)) t.match(table, `\n| \`${name}\` | `)
  t.match(table, '| `8080` |')
})

t.test('README.md agrees with app/config.ts', async (t) => {
  const document = readFileSync('README.md', 'utf8')
  t.equal(withTable(document), document)
})

t.test('a document without a place for the table is refused', async (t) => {
  t.throws(() => withTable('# Nothing'), { message: /configuration: begin/ })
})

t.test('the check fails when document and code differ, and writing mends it', async (t) => {
  const document = readFileSync('README.md', 'utf8').replace('| `PORT` |', '| `PROT` |')
  const directory = t.testdir({ 'README.md': document })
  const differs = runIn(directory, '--check')
  t.equal(differs.status, 1)
  t.match(differs.stderr, 'npm run docs')
  t.equal(runIn(directory).status, 0)
  t.equal(runIn(directory, '--check').status, 0)
  writeFileSync(`${directory}/README.md`, '')
  t.equal(runIn(directory, '--check').status, 1)
})
