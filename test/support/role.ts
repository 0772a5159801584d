import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { IS_COVERED } from './coverage.ts'
import { CHILD_ENVIRONMENT } from './system.ts'

export interface RoleUnderTest {
  child: ChildProcess
  lines: Record<string, unknown>[]
  /** Resolves with the first line, past or future, with this message. */
  line: (message: string) => Promise<Record<string, unknown>>
  /** Resolves with the exit code or signal. */
  ended: Promise<number | string>
}

/**
 * Runs `node app/main.ts` with these arguments, without this process's environment except PATH. Its coverage
 * counts only with `COVERED` in its environment.
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
 * Environment variables with which tap counts a child's coverage, if it measures that of this process. Not
 * possible for code from the compile cache.
 */
export const COVERED: Readonly<Record<string, string>> = IS_COVERED
  ? {
      ...Object.fromEntries(
        Object.entries(process.env)
          .filter(([name]) => /^(?:NODE_OPTIONS|NODE_V8_COVERAGE|_TAPJS_|TAP)/.test(name))
          .map(([name, value]) => [name, value ?? ''])
      ),
      NODE_DISABLE_COMPILE_CACHE: '1'
    }
  : {}
