import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { checkFileSizes } from '../../dev/file-sizes.ts'

const MEBIBYTE = 1024 * 1024

/** Runs the check in this process. */
function check(directory: string, env?: NodeJS.ProcessEnv) {
  const printed: string[] = []
  const reported: string[] = []
  const status = checkFileSizes(directory, {
    env,
    print: (line) => printed.push(line),
    report: (line) => reported.push(line)
  })
  return { status, printed: printed.join('\n'), reported: reported.join('\n') }
}

function repository(t: Test): string {
  const directory = t.testdir({ 'small.txt': 'a', 'exact.bin': Buffer.alloc(MEBIBYTE) })
  execFileSync('git', ['init', '--quiet'], { cwd: directory })
  execFileSync('git', ['add', '--all'], { cwd: directory })
  return directory
}

const NO_GIT = spawnSync('git', ['--version']).error ? 'git is not installed' : false

t.test('as a process, passes for this project', async (t) => {
  const { status, stderr } = spawnSync(process.execPath, ['dev/file-sizes.ts'], { encoding: 'utf8' })
  t.strictSame([status, stderr], [0, ''])
})

t.test('fails with the name of a tracked file over 1 MiB', { skip: NO_GIT }, async (t) => {
  const directory = repository(t)
  const file = 'assets/large file é.bin'
  mkdirSync(`${directory}/assets`)
  writeFileSync(`${directory}/${file}`, Buffer.alloc(MEBIBYTE + 1))
  t.match(check(directory), { status: 0, reported: /^$/ })
  execFileSync('git', ['add', file], { cwd: directory })
  const failed = check(directory)
  t.equal(failed.status, 1)
  t.match(failed.reported, file)
  t.notMatch(failed.reported, /exact|small/)
  rmSync(`${directory}/${file}`)
  t.equal(check(directory).status, 0, 'a deleted file does not count')
})

t.test('checks nothing without a repository or without git', async (t) => {
  const directory = t.testdir({ 'large.bin': Buffer.alloc(MEBIBYTE + 1) })
  t.match(check(directory), { status: 0, printed: /not checked/ })
  mkdirSync(`${directory}/.git`)
  t.match(check(directory, { ...process.env, PATH: directory }), { status: 0, printed: /not checked/ })
})

t.test('fails if git cannot read the repository', { skip: NO_GIT }, async (t) => {
  const directory = t.testdir({ '.git': 'gitdir: nowhere' })
  t.throws(() => check(directory), { message: /^git ls-files failed/ })
})
