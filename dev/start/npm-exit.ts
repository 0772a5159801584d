import { execFileSync } from 'node:child_process'

const CHECK_INTERVAL_MS = 250

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Calls `onExit` when npm, or the shell through which npm runs a script, exits without stopping this process:
 * SIGKILL cannot be forwarded, and the shell forwards no signals. Does nothing in a process that npm has not
 * started.
 *
 * @returns a function that ends the checks
 */
export function onNpmExit(
  onExit: () => void,
  { npm_lifecycle_event: script }: Environment,
  ancestors = npmProcesses
): () => void {
  if (script === undefined) return () => {}
  const pids = ancestors(process.ppid)
  const timer = setInterval(() => {
    if (pids.every(isAlive)) return
    clearInterval(timer)
    onExit()
  }, CHECK_INTERVAL_MS).unref()
  return () => clearInterval(timer)
}

/** Returns the given parent process and, if that is a shell, its parent too. */
export function npmProcesses(pid: number, show = showProcess): number[] {
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
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
