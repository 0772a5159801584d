import { execFileSync } from 'node:child_process'

/** How often it is looked whether npm is still there, in milliseconds. */
const LOOK_MS = 250

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Notices that npm, or the shell through which npm runs a script, has ended without ending this process: `kill -9` cannot be
 * passed on, and the shell does not pass on what npm does. Does nothing in a process that npm has not started.
 *
 * @returns stops looking
 */
export function whenNpmEnds(
  onEnd: () => void,
  { npm_lifecycle_event: script }: Environment,
  above = processesAbove
): () => void {
  if (script === undefined) return () => {}
  const pids = above(process.ppid)
  const timer = setInterval(() => {
    if (pids.every(isAlive)) return
    clearInterval(timer)
    onEnd()
  }, LOOK_MS).unref()
  return () => clearInterval(timer)
}

/** The process that has started this one, and where that is a shell, the one that has started it. */
export function processesAbove(pid: number, show = showProcess): number[] {
  const [, parent, name] = /^\s*(\d+)\s+(\S+)/.exec(show(pid)) ?? []
  return name !== undefined && /sh$/.test(name) ? [pid, Number(parent)] : [pid]
}

function showProcess(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore']
    })
  } catch {
    return ''
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
