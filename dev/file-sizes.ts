import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync } from 'node:fs'

/** Maximum size of a file in git, in bytes. Every clone downloads every file, also after it was removed. */
const MAXIMUM_BYTES = 1024 * 1024

/**
 * Files that git tracks in the current directory; undefined where there is no git or no repository to ask.
 */
function trackedFiles(): string[] | undefined {
  // an archive of the project has no .git, and may lie within another repository
  if (!existsSync('.git')) return undefined
  // CI may run as another user than the owner of the checkout
  const args = ['-c', 'safe.directory=*', 'ls-files', '-z']
  const { error, status, stdout, stderr } = spawnSync('git', args, { encoding: 'utf8', maxBuffer: 1e9 })
  if (error && 'code' in error && error.code === 'ENOENT') return undefined
  if (status !== 0) throw new Error(`git ls-files failed: ${stderr}`)
  return stdout.split('\0').slice(0, -1)
}

const sizeOf = (file: string) => lstatSync(file, { throwIfNoEntry: false })?.size ?? 0

const files = trackedFiles()
if (files === undefined) {
  console.log('file sizes not checked: no git repository')
} else {
  const large = files.filter((file) => sizeOf(file) > MAXIMUM_BYTES)
  for (const file of large) {
    const mebibytes = (sizeOf(file) / MAXIMUM_BYTES).toFixed(1)
    console.error(`${file} has ${mebibytes} MiB, the maximum is 1 MiB; run: git rm --cached '${file}'`)
  }
  if (large.length === 0) console.log('no file in git is larger than 1 MiB')
  else process.exitCode = 1
}
