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

t.test('passes for this project', async (t) => {
  t.equal(check('.').status, 0)
})

t.test('fails with the name of a tracked file over 1 MiB', { skip: NO_GIT }, async (t) => {
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
  t.equal(check(directory).status, 0, 'a deleted file does not count')
})

t.test('checks nothing without a repository or without git', async (t) => {
  const directory = t.testdir({ 'large.bin': Buffer.alloc(MEBIBYTE + 1) })
  t.match(check(directory), { status: 0, stdout: /not checked/ })
  mkdirSync(`${directory}/.git`)
  t.match(check(directory, { ...process.env, PATH: directory }), { status: 0, stdout: /not checked/ })
})

t.test('fails if git cannot read the repository', { skip: NO_GIT }, async (t) => {
  const directory = t.testdir({ '.git': 'gitdir: nowhere' })
  t.match(check(directory), { status: 1, stderr: /git ls-files failed/ })
})
