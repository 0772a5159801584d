import { type LogLine, RoleProcess, type RoleProcessOptions } from './role-process.ts'

export interface RoleStarterOptions extends Pick<RoleProcessOptions, 'program' | 'onLine'> {
  /** Called at each start for the environment of the role. */
  environment: () => Readonly<Record<string, string | undefined>>
}

export interface RoleStart {
  /** Receives the lines of this role instead of the starter's `onLine`. */
  onLine?: RoleProcessOptions['onLine']
  /** Arguments after its name. */
  args?: readonly string[]
  /** Variables of this role alone. */
  variables?: Readonly<Record<string, string>>
}

/** Minimum run time of a role, in milliseconds. A role that exits earlier is restarted with increasing delay. */
const SHORT_LIFE_MS = 10_000

/** Starts roles as processes, none of which outlives this process. */
export class RoleStarter {
  readonly #options: RoleStarterOptions
  readonly #processes = new Set<RoleProcess>()
  readonly #killAll = () => {
    for (const each of this.#processes) each.kill()
  }

  constructor(options: RoleStarterOptions) {
    this.#options = options
    process.once('exit', this.#killAll)
  }

  /**
   * Starts a role and waits until it is ready.
   *
   * @throws {Error} when the role exits before that
   */
  async start(
    role: string,
    { onLine: onRoleLine = this.#options.onLine, variables, args }: RoleStart = {}
  ): Promise<[process: RoleProcess, ready: LogLine]> {
    const { environment, onLine, program } = this.#options
    const ready = Promise.withResolvers<LogLine>()
    let isReady = false
    const started = new RoleProcess({
      role,
      args,
      program,
      shortLifeMs: SHORT_LIFE_MS,
      environment: { ...environment(), ...variables },
      onLine: (line) => {
        onRoleLine(line)
        if (line.msg !== `${role} is ready`) return
        isReady = true
        ready.resolve(line)
      },
      onCrash: ({ code, signal, delayMs }) => {
        if (isReady) {
          onLine({ role, level: 'error', msg: `${role} exited; restarting`, code, signal, delayMs })
          return
        }
        void started.stop()
        ready.reject(new Error(`${role} exited (${signal ?? `exit code ${code}`})`))
      }
    })
    this.#processes.add(started)
    return [started, await ready.promise]
  }

  /**
   * Starts several processes of a role and waits until all are ready.
   *
   * @param quietly drops the lines of processes that do not become ready; the error then gives the reason
   * @throws {Error} when one exits before that; the others are stopped
   */
  async startAll(role: string, count: number, quietly?: 'quietly'): Promise<RoleProcess[]> {
    const held: LogLine[] = []
    let isUp = !quietly
    const onLine = (line: LogLine) => void (isUp ? this.#options.onLine(line) : held.push(line))
    const starts = await Promise.allSettled(Array.from({ length: count }, () => this.start(role, { onLine })))
    const processes = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value[0]] : []))
    const failure = starts.find((start) => start.status === 'rejected')
    if (failure) {
      await Promise.all(processes.map((each) => each.stop()))
      const fatal = held.find(({ level }) => level === 'fatal')
      throw fatal ? new Error(describe(fatal), { cause: failure.reason }) : failure.reason
    }
    isUp = true
    held.forEach(this.#options.onLine)
    return processes
  }

  /** Stops all roles, and resolves when their processes have exited. */
  async stop(): Promise<void> {
    await Promise.all([...this.#processes].map((each) => each.stop()))
    process.off('exit', this.#killAll)
  }
}

/** Returns a log line with its error, on one line. */
function describe({ msg, err }: LogLine): string {
  const reason = (err as { message?: string } | undefined)?.message
  return [msg, reason]
    .filter(Boolean)
    .join(': ')
    .replace(/\s*\n\s*/g, ' ')
}
