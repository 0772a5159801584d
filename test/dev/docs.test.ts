import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { VARIABLES } from '../../app/config.ts'
import { METRICS } from '../../app/metrics/metric-names.ts'
import { repeatedHeadings, TABLES, updateDocuments, withTable } from '../../dev/docs.ts'

/** A copy of the documents. */
function documents(t: Test): string {
  const directory = t.testdir({ docs: {} })
  cpSync('docs/events', `${directory}/docs/events`, { recursive: true })
  for (const { document } of TABLES) cpSync(document, `${directory}/${document}`)
  return directory
}

/** Runs the command in this process. */
async function update(directory: string, isCheck: boolean) {
  const printed: string[] = []
  const reported: string[] = []
  const status = await updateDocuments(directory, {
    isCheck,
    print: (line) => printed.push(line),
    report: (line) => reported.push(line)
  })
  return { status, printed: printed.join('\n'), reported: reported.join('\n') }
}

const check = (directory: string) => update(directory, true)

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

t.test('docs/operations.md says what to do about each error code', async (t) => {
  const document = readFileSync('docs/operations.md', 'utf8')
  const isDocumented = (code: string) => document.includes(`\`${code}\``)
  const codes = new Set<string>()
  // the codes of `testing.ts` are only seen in tests
  for (const file of globSync('app/**/*.ts', { exclude: ['app/testing/**'] })) {
    const text = readFileSync(file, 'utf8')
    const thrown =
      /(?:new ListenerError\(|new RequestError\(\s*\d+,|\b(?:code|CODE) ?[:=])\s*'([A-Z]+(?:_[A-Z]+)*)'/g
    for (const [, code] of text.matchAll(thrown)) codes.add(code!)
    if (!file.startsWith('app/processors/')) continue
    for (const [, literal] of text.matchAll(/'([A-Z]+(?:_[A-Z]+)+)'/g)) {
      const isVariable = literal! in VARIABLES || /_(?:URL|TOKEN|SECRET)$/.test(literal!)
      if (!isVariable) codes.add(literal!)
    }
  }
  t.ok(codes.has('CHAT') && codes.has('CMS_CONFLICT') && codes.has('QUEUE_UNAVAILABLE'), 'finds codes')
  // the beginning of the codes of a processor's calls
  const isPrefix = (code: string) => isDocumented(`${code}_UNAVAILABLE`) && isDocumented(`${code}_REJECTED`)
  const missing = [...codes].filter((code) => !isDocumented(code) && !isPrefix(code))
  t.strictSame(missing, [])
})

t.test('as a process, checks this project', async (t) => {
  const { status, stderr } = spawnSync(process.execPath, ['dev/docs.ts', '--check'], { encoding: 'utf8' })
  t.strictSame([status, stderr], [0, ''])
})

t.test('the check fails when a document differs from the code, until it is written', async (t) => {
  const directory = documents(t)
  t.equal((await check(directory)).status, 0)
  writeFileSync(
    `${directory}/README.md`,
    readFileSync('README.md', 'utf8').replace('| `PORT` |', '| `PROT` |')
  )
  const differs = await check(directory)
  t.equal(differs.status, 1)
  t.match(differs.reported, 'npm run docs')
  t.match(differs.printed, 'docs/operations.md agrees', 'the other tables are checked too')
  t.equal((await update(directory, false)).status, 0)
  t.equal((await check(directory)).status, 0)
  writeFileSync(`${directory}/README.md`, '')
  await t.rejects(check(directory), { message: /README\.md/ })
})

t.test('finds repeated headings, except in code blocks', async (t) => {
  const text = '# One\n## Two\n```sh\n# One\n```\n1. this:\n\n   ```sh\n# Two\n   ```\n### Two\n'
  t.strictSame(repeatedHeadings(text), ['Two'])
  t.strictSame(repeatedHeadings('nothing'), [])
})

t.test('the check fails on a repeated heading', async (t) => {
  const directory = documents(t)
  writeFileSync(`${directory}/docs/more.md`, '# More\n\n## notify\n\n## notify\n')
  const repeats = await check(directory)
  t.equal(repeats.status, 1)
  t.match(repeats.reported, 'docs/more.md has two headings "notify"')
})

t.test('the check fails when a document of an event type differs, is missing or is left over', async (t) => {
  const directory = documents(t)
  const events = `${directory}/docs/events`
  writeFileSync(`${events}/upload.md`, '# Upload')
  rmSync(`${events}/move.schema.json`)
  writeFileSync(`${events}/left.md`, '# Left')
  const differs = await check(directory)
  t.equal(differs.status, 1)
  for (const name of ['upload.md', 'move.schema.json', 'left.md']) t.match(differs.reported, name)
  t.equal((await update(directory, false)).status, 0)
  t.equal((await check(directory)).status, 0)
  t.notOk(existsSync(`${events}/left.md`))
  t.ok(existsSync(`${events}/move.schema.json`))
})

t.test('lines of these documents have at most 100 characters', async (t) => {
  const documents = [
    ...globSync('docs/decisions/00{3,4}*.md'),
    'docs/operations.md',
    'docs/upgrading.md',
    'SECURITY.md'
  ]
  t.ok(documents.length > 8)
  for (const document of documents) {
    const lines = readFileSync(document, 'utf8').split('\n')
    // a table, or an address that cannot be wrapped
    const long = lines.filter((line) => line.length > 100 && !/^\||^\S*\]\(https:\S+$/.test(line))
    t.strictSame(long, [], document)
  }
})
