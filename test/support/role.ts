import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'

export interface RoleUnderTest {
  child: ChildProcess
  lines: Record<string, unknown>[]
  /** Resolves with the first line, past or yet to come, that has this message. */
  line: (message: string) => Promise<Record<string, unknown>>
  /** Resolves with exit code or signal. */
  ended: Promise<number | string>
}

/** Runs `node app/main.ts` with these arguments and nothing of this process's environment but PATH. */
export function runRole(t: Test, args: string[], environment: Record<string, string> = {}): RoleUnderTest {
  const child = spawn(process.execPath, ['app/main.ts', ...args], {
    env: { ...coverage(), PATH: process.env.PATH, ...environment },
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

/** What tap needs in a child's environment to count its coverage. */
function coverage(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) =>
    /^(?:NODE_OPTIONS|NODE_V8_COVERAGE|_TAPJS_|TAP)/.test(name)
  )
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? '']))
}
