import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { CHILD_ENVIRONMENT } from './system.ts'

export interface RoleUnderTest {
  child: ChildProcess
  lines: Record<string, unknown>[]
  /** Resolves with the first line, past or yet to come, that has this message. */
  line: (message: string) => Promise<Record<string, unknown>>
  /** Resolves with exit code or signal. */
  ended: Promise<number | string>
}

/**
 * Runs `node app/main.ts` with these arguments and nothing of this process's environment but PATH. What it covers is not
 * counted, unless it is given `COVERED`.
 */
export function runRole(t: Test, args: string[], environment: Record<string, string> = {}): RoleUnderTest {
  const child = spawn(process.execPath, ['app/main.ts', ...args], {
    env: { ...CHILD_ENVIRONMENT, ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const lines: Record<string, unknown>[] = []
  const waiting: { message: string; resolve: (line: Record<string, unknown>) => void }[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (text) => {
      const line = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { msg: text }
      lines.push(line)
      for (const { message, resolve } of waiting) if (line.msg === message) resolve(line)
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    child,
    lines,
    ended,
    line: (message) => {
      const past = lines.find(({ msg }) => msg === message)
      if (past) return Promise.resolve(past)
      return new Promise((resolve) => waiting.push({ message, resolve }))
    }
  }
}

/**
 * What tap needs in a child's environment to count what it covers; that cannot be told of code compiled beforehand.
 * Source: https://nodejs.org/docs/latest-v24.x/api/module.html#module-compile-cache
 */
export const COVERED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(process.env)
      .filter(([name]) => /^(?:NODE_OPTIONS|NODE_V8_COVERAGE|_TAPJS_|TAP)/.test(name))
      .map(([name, value]) => [name, value ?? ''])
  ),
  NODE_DISABLE_COMPILE_CACHE: '1'
}
