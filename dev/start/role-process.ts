import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onEachLine } from './read-lines.ts'

/** One line of a role's log, parsed. */
export type LogLine = Record<string, unknown> & { time?: string; role?: string; msg?: string }

export interface RoleProcessOptions {
  role: string
  /** Arguments after the name of the role or command. */
  args?: readonly string[] | undefined
  /** The program that runs a role. (Default: `app/main.ts`) */
  program?: string | undefined
  /**
   * Minimum run time of a role, in milliseconds. A role that exits earlier is restarted with increasing
   * delay.
   */
  shortLifeMs: number
  environment: Record<string, string | undefined>
  /** Receives each log line. Text that is not JSON arrives as `msg`. */
  onLine: (line: LogLine) => void
  /** Called when the process exits without being stopped; it is restarted after `delayMs`. */
  onCrash: (crash: { code: number | null; signal: NodeJS.Signals | null; delayMs: number }) => void
}

const MAX_DELAY_MS = 15_000

/** Node.js options that make a process exit when its parent does. */
export const EXIT_WITH_PARENT = ['--import', import.meta.resolve('./exit-with-parent.ts')] as const

/** A role of the listener in its own process, restarted when it crashes. It exits with this process. */
export class RoleProcess {
  readonly #options: RoleProcessOptions
  #process: ChildProcess
  #stopped: Promise<void> | undefined
  #shortLives = 0
  #restart: NodeJS.Timeout | undefined

  constructor(options: RoleProcessOptions) {
    this.#options = options
    this.#process = this.#spawn()
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Sends SIGTERM, as ECS does, and resolves when the process has exited. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  kill(): void {
    clearTimeout(this.#restart)
    this.#process.kill('SIGKILL')
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#restart)
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    await exited
  }

  #spawn(): ChildProcess {
    const { role, args = [], program = 'app/main.ts', environment, onLine, shortLifeMs } = this.#options
    const startedAt = performance.now()
    const child = spawn(process.execPath, [...EXIT_WITH_PARENT, program, role, ...args], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Ctrl-C goes to the whole process group; this process decides when its children stop
      detached: true
    })
    for (const stream of [child.stdout!, child.stderr!]) {
      onEachLine(stream, (line) => onLine({ role, ...parse(line) }))
    }
    child.once('exit', (code, signal) => {
      if (this.#stopped) return
      this.#shortLives = performance.now() - startedAt < shortLifeMs ? this.#shortLives + 1 : 0
      const delayMs = this.#shortLives === 0 ? 0 : Math.min(MAX_DELAY_MS, 250 * 2 ** this.#shortLives)
      this.#options.onCrash({ code, signal, delayMs })
      // onCrash may have stopped it
      if (this.#stopped) return
      this.#restart = setTimeout(() => {
        this.#process = this.#spawn()
      }, delayMs)
    })
    return child
  }
}

function parse(line: string): LogLine {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as LogLine
  } catch {
    // the line is not from the logger: a crash report, for example
  }
  return { msg: line }
}
