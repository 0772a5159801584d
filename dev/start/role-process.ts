import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onEachLine } from './read-lines.ts'

/** One line of a role's log, parsed. */
export type LogLine = Record<string, unknown> & { time?: string; role?: string; msg?: string }

export interface ChildOptions {
  role: string
  /** A role that lives shorter than this, in milliseconds, is started again after a longer pause each time. */
  shortLifeMs: number
  environment: Record<string, string | undefined>
  /** Each line it logs; text that is not JSON comes as `msg`. */
  onLine: (line: LogLine) => void
  /** It ended without being asked to; it is started again after `pauseMs`. */
  onDeath: (death: { code: number | null; signal: NodeJS.Signals | null; pauseMs: number }) => void
}

const LONGEST_PAUSE_MS = 15_000

/** Makes a process end when the one that started it does. */
export const ATTACHED = ['--import', import.meta.resolve('./exit-with-parent.ts')] as const

/** A role of the listener as a process of its own, started again when it dies. It ends when this process ends. */
export class Child {
  readonly #options: ChildOptions
  #process: ChildProcess
  #stopped: Promise<void> | undefined
  #shortLives = 0
  #restart: NodeJS.Timeout | undefined

  constructor(options: ChildOptions) {
    this.#options = options
    this.#process = this.#spawn()
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Asks it to stop, as ECS does, and resolves when it has ended. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  /** Ends it at once. */
  kill(): void {
    clearTimeout(this.#restart)
    this.#process.kill('SIGKILL')
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#restart)
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    await ended
  }

  #spawn(): ChildProcess {
    const { role, environment, onLine, shortLifeMs } = this.#options
    const startedAt = performance.now()
    const child = spawn(process.execPath, [...ATTACHED, 'app/main.ts', role], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // an interrupt from the keyboard goes to the whole group; this process decides when its children stop
      detached: true
    })
    for (const stream of [child.stdout!, child.stderr!]) {
      onEachLine(stream, (line) => onLine({ role, ...parse(line) }))
    }
    child.once('exit', (code, signal) => {
      if (this.#stopped) return
      this.#shortLives = performance.now() - startedAt < shortLifeMs ? this.#shortLives + 1 : 0
      const pauseMs = this.#shortLives === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, 250 * 2 ** this.#shortLives)
      this.#options.onDeath({ code, signal, pauseMs })
      // who was told of its death may have stopped it
      if (this.#stopped) return
      this.#restart = setTimeout(() => {
        this.#process = this.#spawn()
      }, pauseMs)
    })
    return child
  }
}

function parse(line: string): LogLine {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as LogLine
  } catch {
    // not from the logger: a crash report, say
  }
  return { msg: line }
}
