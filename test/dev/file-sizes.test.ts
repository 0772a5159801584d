import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t, { type Test } from 'tap'

const SCRIPT = resolve('dev/file-sizes.ts')
const MEBIBYTE = 1024 * 1024

const check = (directory: string, env = process.env) =>
  spawnSync(process.execPath, [SCRIPT], { cwd: directory, encoding: 'utf8', env })

function repository(t: Test): string {
  const directory = t.testdir({ 'small.txt': 'a', 'exact.bin': Buffer.alloc(MEBIBYTE) })
  execFileSync('git', ['init', '--quiet'], { cwd: directory })
  execFileSync('git', ['add', '--all'], { cwd: directory })
  return directory
}

const NO_GIT = spawnSync('git', ['--version']).error ? 'git is not installed' : false

t.test('the project has no file over 1 MiB in git', async (t) => {
  t.equal(check('.').status, 0)
})

t.test('a file over 1 MiB fails the check, by its name, once git tracks it', { skip: NO_GIT }, async (t) => {
  const directory = repository(t)
  const file = 'assets/large file é.bin'
  mkdirSync(`${directory}/assets`)
  writeFileSync(`${directory}/${file}`, Buffer.alloc(MEBIBYTE + 1))
  t.match(check(directory), { status: 0, stderr: '' })
  execFileSync('git', ['add', file], { cwd: directory })
  const failed = check(directory)
  t.equal(failed.status, 1)
  t.match(failed.stderr, file)
  t.notMatch(failed.stderr, /exact|small/)
  rmSync(`${directory}/${file}`)
  t.equal(check(directory).status, 0, 'one that is deleted and not committed yet is no longer there')
})

t.test('without a repository or without git nothing is checked', async (t) => {
  const directory = t.testdir({ 'large.bin': Buffer.alloc(MEBIBYTE + 1) })
  t.match(check(directory), { status: 0, stdout: /not checked/ })
  mkdirSync(`${directory}/.git`)
  t.match(check(directory, { ...process.env, PATH: directory }), { status: 0, stdout: /not checked/ })
})

t.test('a repository that git cannot read fails the check', { skip: NO_GIT }, async (t) => {
  const directory = t.testdir({ '.git': 'gitdir: nowhere' })
  t.match(check(directory), { status: 1, stderr: /git ls-files failed/ })
})
