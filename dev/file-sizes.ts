import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync } from 'node:fs'
import { join } from 'node:path'

/** Maximum size of a file in git, in bytes. Every clone downloads every file, even after it was removed. */
const MAX_BYTES = 1024 * 1024

interface Dependencies {
  /** Environment of git. (Default: that of this process) */
  env?: NodeJS.ProcessEnv
  print: (line: string) => void
  /** Receives a line for each file that is too large. */
  report: (line: string) => void
}

/**
 * Checks the files that git tracks in a directory.
 *
 * @returns the exit code: 1 when a file is too large
 * @throws {Error} when git cannot read the repository
 */
export function checkFileSizes(directory: string, { env, print, report }: Dependencies): 0 | 1 {
  const files = trackedFiles(directory, env)
  if (files === undefined) {
    print('file sizes not checked: no git repository')
    return 0
  }
  const sizes = files.map((file) => [file, sizeOf(join(directory, file))] as const)
  const large = sizes.filter(([, size]) => size > MAX_BYTES)
  for (const [file, size] of large) {
    const mebibytes = (size / MAX_BYTES).toFixed(1)
    report(`${file} has ${mebibytes} MiB, the maximum is 1 MiB; run: git rm --cached '${file}'`)
  }
  if (large.length > 0) return 1
  print('no file in git is larger than 1 MiB')
  return 0
}

/**
 * Returns the files that git tracks in the directory; undefined where there is no git or no repository to
 * ask.
 */
function trackedFiles(directory: string, env?: NodeJS.ProcessEnv): string[] | undefined {
  // an archive of the project has no .git, and may lie within another repository
  if (!existsSync(join(directory, '.git'))) return undefined
  // CI may run as a user other than the owner of the checkout
  const args = ['-c', 'safe.directory=*', 'ls-files', '-z']
  const options = { cwd: directory, encoding: 'utf8', maxBuffer: 1e9, env } as const
  const { error, status, stdout, stderr } = spawnSync('git', args, options)
  if (error && 'code' in error && error.code === 'ENOENT') return undefined
  if (status !== 0) throw new Error(`git ls-files failed: ${stderr}`)
  return stdout.split('\0').slice(0, -1)
}

const sizeOf = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.size ?? 0

if (import.meta.main) {
  process.exitCode = checkFileSizes('.', { print: console.log, report: console.error })
}
