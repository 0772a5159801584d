import { Child, type LogLine } from './role-process.ts'

export interface RoleStarterOptions {
  /** What a role that is started now is configured with. */
  environment: () => Readonly<Record<string, string | undefined>>
  onLine: (line: LogLine) => void
}

/** A role that lives shorter than this, in milliseconds, is started again after a longer pause each time. */
const SHORT_LIFE_MS = 10_000

/** Starts roles as processes. None outlives this process, however it ends. */
export class RoleStarter {
  readonly #options: RoleStarterOptions
  readonly #children = new Set<Child>()
  readonly #killAll = () => {
    for (const child of this.#children) child.kill()
  }

  constructor(options: RoleStarterOptions) {
    this.#options = options
    process.once('exit', this.#killAll)
  }

  /**
   * Starts a role and waits until it is ready.
   *
   * @param hear what is called with its lines, instead of what is called with those of all roles
   * @throws {Error} when it ends before that
   */
  async start(role: string, hear = this.#options.onLine): Promise<[child: Child, ready: LogLine]> {
    const { environment, onLine } = this.#options
    const ready = Promise.withResolvers<LogLine>()
    let isReady = false
    const child = new Child({
      role,
      shortLifeMs: SHORT_LIFE_MS,
      environment: environment(),
      onLine: (line) => {
        hear(line)
        if (line.msg !== `${role} is ready`) return
        isReady = true
        ready.resolve(line)
      },
      onDeath: ({ code, signal, pauseMs }) => {
        if (isReady) {
          onLine({ role, level: 'error', msg: `${role} has ended; starting it again`, code, signal, pauseMs })
          return
        }
        void child.stop()
        ready.reject(new Error(`${role} has ended (${signal ?? `exit code ${code}`})`))
      }
    })
    this.#children.add(child)
    return [child, await ready.promise]
  }

  /**
   * Starts several of a role and waits until all are ready.
   *
   * @param quietly report no lines of one that does not become ready; the error then says why it does not
   * @throws {Error} when one ends before that; the others are then stopped
   */
  async startAll(role: string, count: number, quietly?: 'quietly'): Promise<Child[]> {
    const held: LogLine[] = []
    let isUp = !quietly
    const hear = (line: LogLine) => void (isUp ? this.#options.onLine(line) : held.push(line))
    const starts = await Promise.allSettled(Array.from({ length: count }, () => this.start(role, hear)))
    const children = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value[0]] : []))
    const failure = starts.find((start) => start.status === 'rejected')
    if (failure) {
      await Promise.all(children.map((child) => child.stop()))
      const fatal = held.find(({ level }) => level === 'fatal')
      throw fatal ? new Error(describe(fatal), { cause: failure.reason }) : failure.reason
    }
    isUp = true
    held.forEach(this.#options.onLine)
    return children
  }

  /** Asks all of them to stop, and resolves when they have ended. */
  async stop(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.stop()))
    process.off('exit', this.#killAll)
  }
}

/** A line of the log with its error, in one line. */
function describe({ msg, err }: LogLine): string {
  const reason = (err as { message?: string } | undefined)?.message
  return [msg, reason]
    .filter(Boolean)
    .join(': ')
    .replace(/\s*\n\s*/g, ' ')
}
