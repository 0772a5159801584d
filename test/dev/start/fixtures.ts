import { writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { LogLine } from '../../../dev/start/role-process.ts'
import { CHILD_ENVIRONMENT } from '../../support/system.ts'

/** Runs roles that do nothing. */
export const FAKE_ROLE = 'test/dev/start/fake-role.ts'

/** A configuration in a directory of the test, which can be rewritten. */
export function configFile(t: Test, text = 'export default { processors: [] }') {
  const path = `${t.testdir({ 'config.ts': text })}/config.ts`
  return {
    path,
    write: (text: string) => writeFileSync(path, text),
    /** Environment of fake roles. */
    environment: { ...CHILD_ENVIRONMENT, PORT: '0', LISTENER_CONFIG: path }
  }
}

/** Collects log lines, and waits for them. */
export function logLines() {
  const lines: LogLine[] = []
  let wake = () => {}
  return {
    lines,
    add: (line: LogLine) => {
      lines.push(line)
      wake()
    },
    wake: () => wake(),
    of: (msg: string) => lines.filter((line) => line.msg === msg),
    until: async (reached: () => boolean) => {
      while (!reached()) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Resolves when all processes have exited. */
export async function exited(...pids: number[]): Promise<void> {
  while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 10))
}
