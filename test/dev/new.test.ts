import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t, { type Test } from 'tap'
import { runNew } from '../../dev/new.ts'

/** What the command has written before: type-checked and linted like any other file. */
const EXAMPLES = 'test/types/scaffold'

function run(directory: string, ...args: string[]) {
  const printed: string[] = []
  const reported: string[] = []
  const status = runNew(args, {
    directory,
    print: (line) => printed.push(line),
    report: (line) => reported.push(line)
  })
  return { status, printed: printed.join('\n'), reported: reported.join('\n') }
}

const text = (directory: string, file: string) => readFileSync(`${directory}/${file}`, 'utf8')

const MANY = 'upload,resource_tags_changed,resource_metadata_changed,create_folder,report,unknown,eager'

for (const [name, ...args] of [['sale-tags'], ['many-types', '--on', MANY], ['all', '--on', '*']] as const) {
  t.test(`writes ${name} and its test as in the examples`, async (t) => {
    const directory = t.testdir({})
    t.match(run(directory, 'processor', name, ...args), { status: 0, reported: '' })
    for (const file of [`processors/${name}.ts`, `test/processors/${name}.test.ts`]) {
      t.equal(text(directory, file), text(EXAMPLES, file))
    }
  })
}

t.test('says what to add to listener.config.ts', async (t) => {
  const { printed } = run(t.testdir({}), 'processor', 'sale-tags')
  t.match(printed, "import { saleTags } from './processors/sale-tags.ts'")
  t.match(printed, 'saleTags()')
  t.match(printed, 'npm test test/processors/sale-tags.test.ts')
})

t.test('overwrites no file, and writes neither if one exists', async (t) => {
  const directory = t.testdir({ test: { processors: { 'mine.test.ts': 'my test' } } })
  t.match(run(directory, 'processor', 'mine'), { status: 1, reported: 'test/processors/mine.test.ts exists' })
  t.equal(text(directory, 'test/processors/mine.test.ts'), 'my test')
  t.notOk(existsSync(`${directory}/processors`))
  run(directory, 'processor', 'other')
  t.match(run(directory, 'processor', 'other'), { status: 1, reported: 'processors/other.ts exists' })
})

/** Rejected arguments write nothing. */
function rejects(t: Test, args: string[], reason: string | RegExp) {
  const directory = t.testdir({})
  t.match(run(directory, ...args), { status: 1, printed: '', reported: reason }, args.join(' '))
  t.notOk(existsSync(`${directory}/processors`))
}

t.test('rejects other names, types and arguments', async (t) => {
  const names = [
    '',
    'Sale',
    'saleTags',
    '../sale',
    'sale_tags',
    '-',
    '9',
    'sale-9',
    'a--b',
    'a.b',
    'a'.repeat(65)
  ]
  for (const name of names) rejects(t, ['processor', '--', name], 'must be lower-case')
  for (const name of ['delete', 'default', 'let', 'await', 't', 'test-processor']) {
    rejects(t, ['processor', name], 'is taken')
  }
  rejects(t, ['processor', 'mine', '--on', 'uploads'], /"uploads".*resource_tags_changed/)
  rejects(t, ['processor', 'mine', '--on', ''], /""/)
  for (const args of [[], ['processor'], ['command', 'mine'], ['processor', 'a', 'b'], ['--off']]) {
    rejects(t, args, 'npm run new -- processor NAME')
  }
})

t.test('as a process, writes into the working directory', async (t) => {
  const directory = t.testdir({})
  const args = [resolve('dev/new.ts'), 'processor', 'mine']
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' })
  t.strictSame([status, stderr], [0, ''])
  t.ok(existsSync(`${directory}/processors/mine.ts`))
})

// the written tests pass: they run here
for (const name of ['sale-tags', 'many-types', 'all']) {
  await import(`../types/scaffold/test/processors/${name}.test.ts`)
}
