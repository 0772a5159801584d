import { overfull } from './collections.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { Delivery } from './models/delivery.ts'
import type { Network } from './network.ts'
import type { Dependencies } from './parts.ts'
import type { Plan, ProcessFault } from './plan.ts'
import { between, chanceOf } from './random.ts'
import { type RunningRole, startRole } from './roles.ts'
import { GRACE_MS, type Scheduler, SimulatedProcess } from './scheduler.ts'

export interface FleetOptions {
  plan: Plan
  scheduler: Scheduler
  network: Network
  ledger: Ledger
  dependencies: () => Dependencies
  /** A web task refused a notification. */
  onRefused: (delivery: Delivery, process: SimulatedProcess) => void
}

/** A process that is started again when it ends. */
interface Slot {
  name: string
  generation: number
  process: SimulatedProcess | undefined
  role: RunningRole | undefined
  isStopping: boolean
}

/** ECS kills a task that has not stopped by then. */
const STOP_MS = 100_000

/** The processes of the roles, started again when they end. */
export class Fleet {
  readonly #options: FleetOptions
  readonly #scheduler: Scheduler
  readonly #ledger: Ledger
  readonly #slots: Slot[]
  /** Processes that end are not started again. */
  #isClosed = false

  constructor(options: FleetOptions) {
    this.#options = options
    this.#scheduler = options.scheduler
    this.#ledger = options.ledger
    this.#slots = options.plan.processes.map((name) => ({
      name,
      generation: 0,
      process: undefined,
      role: undefined,
      isStopping: false
    }))
  }

  /** Starts all processes that do not run. */
  startAll(): void {
    this.#isClosed = false
    for (const slot of this.#slots) if (!slot.process) this.#start(slot)
  }

  /** Stops all processes as a deployment does; resolves when they have ended. */
  async stopAll(): Promise<void> {
    this.#isClosed = true
    for (const slot of this.#slots) this.#stop(slot, 1)
    const until = this.#scheduler.now + 2 * STOP_MS
    await this.#scheduler.run(
      () =>
        this.#slots.every(({ process }) => !process) ||
        this.#scheduler.now > until ||
        this.#ledger.violation !== undefined
    )
  }

  /** Injects a fault of a process, given by itself or by its name. */
  injectFault(target: SimulatedProcess | string, kind: ProcessFault['kind'], seconds: number): void {
    const slot = this.#slots.find(({ name, process }) => name === target || process === target)
    if (slot) this.#injectFault(slot, kind, seconds)
  }

  #start(slot: Slot): void {
    if (this.#isClosed) return
    const { seed, skewsMs } = this.#options.plan
    const process = new SimulatedProcess(`${slot.name}.${++slot.generation}`, seed, skewsMs[slot.name])
    slot.process = process
    slot.role = undefined
    slot.isStopping = false
    process.isStarting = true
    this.#ledger.tell(`${process.name} starts`)
    this.#scheduler.runAs(process, () => {
      startRole(process, this.#options.dependencies()).then(
        (role) => {
          slot.role = role
          process.isStarting = false
        },
        (error) => {
          this.#ledger.tell(`does not start: ${error.code}`)
          this.#end(process, 5)
        }
      )
    })
  }

  /** Ends a process, which is started again after a time. */
  #end(process: SimulatedProcess, seconds: number): void {
    const slot = this.#slots.find((each) => each.process === process)
    if (!slot || process.dead) return
    process.dead = true
    slot.process = undefined
    slot.role = undefined
    this.#scheduler.at(this.#scheduler.now + seconds * 1000, undefined, 'start', () => {
      if (!slot.process) this.#start(slot)
    })
  }

  /** Kills a process that is started again after some seconds. */
  kill(process: SimulatedProcess, seconds: number): void {
    if (process.dead) return
    this.#ledger.tell(`${process.name} is killed`)
    this.#ledger.killed(process)
    this.#end(process, seconds)
  }

  #injectFault(slot: Slot, kind: ProcessFault['kind'], seconds: number): void {
    const { process } = slot
    if (!process) return
    switch (kind) {
      case 'kill':
        this.kill(process, seconds)
        return
      case 'pause':
        this.#ledger.tell(`${process.name} is paused for ${seconds} s`)
        process.pausedUntil = Math.max(process.pausedUntil, this.#scheduler.now + seconds * 1000)
        return
      case 'stop':
        this.#stop(slot, seconds)
    }
  }

  #stop(slot: Slot, seconds: number): void {
    const { process, role } = slot
    if (!process || slot.isStopping) return
    if (!role) {
      this.kill(process, seconds)
      return
    }
    slot.isStopping = true
    process.stoppedAt = this.#scheduler.now
    this.#ledger.tell(`${process.name} is stopped`)
    const isHealthy = this.#options.network.isCalm && process.pausedUntil <= this.#scheduler.now
    this.#scheduler.at(this.#scheduler.now + STOP_MS, undefined, 'time over', () => {
      if (isHealthy && !process.dead)
        this.#ledger.violated('8 shutdown', `${process.name} does not stop within ${STOP_MS / 1000} s`)
      this.kill(process, seconds)
    })
    const { stoppedAt } = process
    this.#scheduler.at(stoppedAt, process, 'stop', () => {
      role.stop().then(
        () => {
          this.#checkStopped(process, role, this.#scheduler.now - stoppedAt)
          this.#end(process, seconds)
        },
        (error) => this.#ledger.violated('8 shutdown', `the stop of ${process.name} fails: ${error}`)
      )
    })
  }

  #checkStopped(process: SimulatedProcess, role: RunningRole, tookMs: number): void {
    if (role.pendingBytes() !== 0)
      this.#ledger.violated('8 shutdown', `${process.name} stops with events that are not stored`)
    if (process.timers > 0)
      this.#ledger.violated('8 shutdown', `${process.name} leaves ${process.timers} timers`)
    // a stop that runs into its time limit leaves what still runs
    if (!this.#options.network.isCalm || tookMs >= GRACE_MS) return
    for (const found of overfull(process, this.#options.plan.clouds.length))
      this.#ledger.violated('8 bounded memory', `${process.name} has nothing to do, and ${found}`)
  }

  /** Delivers a notification to one of the web tasks that are ready, like a load balancer. */
  post(delivery: Delivery, answer: (status: number | undefined) => void, chance: number): void {
    const ready = this.#slots.filter(
      ({ name, role, isStopping }) => name.startsWith('web') && role?.receive && !isStopping
    )
    const slot = ready[Math.floor(chance * ready.length)]
    const { process, role } = slot ?? {}
    const scheduler = this.#scheduler
    const { plan, network, onRefused } = this.#options
    if (!process || !role?.receive) {
      scheduler.at(scheduler.now + 50, undefined, 'answer', () => answer(503))
      return
    }
    const { receive } = role
    const isLost =
      !network.isCalm && chanceOf(plan.seed, `answer ${scheduler.now} ${chance}`) < plan.faultRate
    scheduler.at(scheduler.now + between(1, 40, chance), process, 'request', () => {
      void receive(delivery).then((status) => {
        if (status === 401) onRefused(delivery, process)
        scheduler.at(scheduler.now + 5, undefined, 'answer', () => answer(isLost ? undefined : status))
      })
    })
  }
}
