import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { VARIABLES } from '../../app/config.ts'
import { METRICS } from '../../app/metrics/metric-names.ts'
import { repeatedHeadings, TABLES, withTable } from '../../dev/docs.ts'

const SCRIPT = resolve('dev/docs.ts')

const runIn = (directory: string, ...args: string[]) =>
  spawnSync(process.execPath, [SCRIPT, ...args], { cwd: directory, encoding: 'utf8' })

t.test('the configuration table has a row for each variable, with its default', async (t) => {
  const table = TABLES.find(({ name }) => name === 'configuration')!.render()
  for (const name of Object.keys(VARIABLES)) t.match(table, `\n| \`${name}\` | `)
  t.match(table, '| `8080` |')
})

t.test('the metrics table has a row for each metric, with unit and dimensions', async (t) => {
  const table = TABLES.find(({ name }) => name === 'metrics')!.render()
  for (const [name, { unit }] of Object.entries(METRICS))
    t.match(table, `\n| \`${name}\` | ${unit} | \`Role\``)
  t.match(table, '| `NotificationsRefused` | Count | `Role`, `Role` + `Reason` | ')
})

for (const table of TABLES) {
  t.test(`${table.document} agrees with ${table.source}`, async (t) => {
    const text = readFileSync(table.document, 'utf8')
    t.equal(withTable(text, table), text)
  })

  t.test(`rejects a text without a place for the table of ${table.document}`, async (t) => {
    t.throws(() => withTable('# Nothing', table), { message: `${table.name}: begin` })
  })
}

t.test('the check fails when a document differs from the code, until it is written', async (t) => {
  const directory = t.testdir({ docs: {} })
  for (const { document } of TABLES) cpSync(document, `${directory}/${document}`)
  t.equal(runIn(directory, '--check').status, 0)
  writeFileSync(
    `${directory}/README.md`,
    readFileSync('README.md', 'utf8').replace('| `PORT` |', '| `PROT` |')
  )
  const differs = runIn(directory, '--check')
  t.equal(differs.status, 1)
  t.match(differs.stderr, 'npm run docs')
  t.match(differs.stdout, 'docs/operations.md agrees', 'the other tables are checked too')
  t.equal(runIn(directory).status, 0)
  t.equal(runIn(directory, '--check').status, 0)
  writeFileSync(`${directory}/README.md`, '')
  t.equal(runIn(directory, '--check').status, 1)
})

t.test('finds repeated headings, except in code blocks', async (t) => {
  const text = '# One\n## Two\n```sh\n# One\n```\n1. this:\n\n   ```sh\n# Two\n   ```\n### Two\n'
  t.strictSame(repeatedHeadings(text), ['Two'])
  t.strictSame(repeatedHeadings('nothing'), [])
})

t.test('the check fails on a repeated heading', async (t) => {
  const directory = t.testdir({ docs: {} })
  for (const { document } of TABLES) cpSync(document, `${directory}/${document}`)
  writeFileSync(`${directory}/docs/more.md`, '# More\n\n## notify\n\n## notify\n')
  const repeats = runIn(directory, '--check')
  t.equal(repeats.status, 1)
  t.match(repeats.stderr, 'docs/more.md has two headings "notify"')
})
