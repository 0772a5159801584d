import { between, chanceOf, pick } from './random.ts'
import type { Scheduler, SimulatedProcess } from './scheduler.ts'
import { dropDeadline } from './virtual-time.ts'

/**
 * What happens to a call. `repeated`: the SDK repeats a call whose answer was lost. `killed`, `paused`: the calling process
 * is killed before the answer, or stands still for a while.
 */
export type Fault =
  | 'refused'
  | 'throttled'
  | 'lost'
  | 'repeated'
  | 'slow'
  | 'hung'
  | 'partial'
  | 'killed'
  | 'paused'

const FAULTS: readonly Fault[] = [
  'refused',
  'throttled',
  'lost',
  'lost',
  'repeated',
  'repeated',
  'slow',
  'hung',
  'killed',
  'paused'
]

export type Answer<Value> = { value: Value } | { error: unknown }

/** Operations that wait for something to happen. */
const WAITING = ['ReceiveMessage', 'poll']

/** A command makes few calls, and each fault of one is a case of its own. */
const COMMAND_WEIGHT = 2

/** A chance of this call, from 0 up to 1, by a name. */
export type Roll = (name: string) => number

export interface Call<Value> {
  service: string
  operation: string
  /** Does what the service does, then answers. Runs once, not at all, or twice. */
  perform: (answer: (answer: Answer<Value>) => void, roll: Roll, fault: Fault | undefined) => void
  /** Returns the error of a call that was not answered. */
  fail: (why: 'refused' | 'throttled' | 'lost') => unknown
  /** Single entries may fail. */
  isBatch?: boolean
  signal?: AbortSignal | undefined
}

export interface Outage {
  service: string
  from: number
  until: number
}

export interface NetworkOptions {
  seed: number
  /** Probability of a fault per call. */
  faultRate: number
  /** The only faults that are injected: names of calls with the fault. (Default: by the rate) */
  faults?: readonly string[] | undefined
  outages: readonly Outage[]
  onFault: (name: string) => void
  /** Kills a process, or lets it stand still for some seconds. */
  injectFault: (process: SimulatedProcess, fault: 'killed' | 'paused', seconds: number) => void
}

/** The connections between processes and services, with delays and faults drawn from the seed. */
export class Network {
  readonly #scheduler: Scheduler
  readonly #options: NetworkOptions
  readonly #allowed: ReadonlySet<string> | undefined
  /** Faults and outages are over. */
  isCalm = false

  constructor(scheduler: Scheduler, options: NetworkOptions) {
    this.#scheduler = scheduler
    this.#options = options
    this.#allowed = options.faults && new Set(options.faults)
  }

  /** Returns the outage of a service that was in effect at some time of a range. */
  outageOf(service: string, from: number, until = from): Outage | undefined {
    return this.#options.outages.find(
      (outage) => outage.service === service && outage.from <= until && from < outage.until
    )
  }

  call<Value>(call: Call<Value>): Promise<Value> {
    const { service, operation, perform, fail, signal } = call
    const scheduler = this.#scheduler
    const process = scheduler.current!
    const counted = `${service}.${operation}`
    const number = (process.calls.get(counted) ?? 0) + 1
    process.calls.set(counted, number)
    const name = `${process.name} ${counted} ${number}`
    const roll = (what: string) => chanceOf(this.#options.seed, name + what)
    const fault = this.#faultOf(name, process, call, roll)
    if (fault && service === 'sqs') process.queueFailedAt = scheduler.now
    return new Promise((resolve, reject) => {
      let isSettled = false
      const settle = (answer: Answer<Value>) => {
        if (isSettled) return
        isSettled = true
        signal?.removeEventListener('abort', abort)
        dropDeadline(signal)
        if ('value' in answer) resolve(answer.value)
        else reject(answer.error)
      }
      const abort = () => settle({ error: abortedError() })
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort)
      const deliver = (milliseconds: number, answer: Answer<Value>) => {
        scheduler.at(scheduler.now + milliseconds, process, counted, () => settle(answer))
      }
      const arrive = (milliseconds: number, then: (answer: Answer<Value>) => void) => {
        scheduler.at(scheduler.now + milliseconds, undefined, counted, () => perform(then, roll, fault))
      }
      const ignored = () => {}
      const up = between(1, 15, roll('up'))
      const down = between(1, 15, roll('down'))
      const long = between(300, 6000, roll('long'))
      switch (fault) {
        case 'refused':
        case 'throttled':
          return deliver(up + down, { error: fail(fault) })
        case 'lost':
          arrive(up, ignored)
          return deliver(up + long, { error: fail('lost') })
        case 'hung':
          if (roll('performed') < 0.5) arrive(up, ignored)
          return deliver(up + long * 5, { error: fail('lost') })
        case 'repeated':
          arrive(up, ignored)
          return arrive(up + Math.ceil(long / 3), (answer) => deliver(down, answer))
        case 'slow':
          return arrive(long, (answer) => deliver(between(1, 6000, roll('late')), answer))
        case 'killed':
        case 'paused': {
          // before, at or after the effect
          const at = scheduler.now + between(0, up + down - 1, roll('strike'))
          scheduler.at(at, undefined, fault, () =>
            this.#options.injectFault(process, fault, pick([1, 5, 30, 90, 200], roll('seconds')))
          )
          return arrive(up, (answer) => deliver(down, answer))
        }
        default:
          return arrive(up, (answer) => deliver(down, answer))
      }
    })
  }

  #faultOf(
    name: string,
    process: SimulatedProcess,
    { service, operation, isBatch }: Call<unknown>,
    roll: Roll
  ): Fault | undefined {
    if (this.isCalm) return undefined
    const { faultRate, onFault } = this.#options
    if (this.outageOf(service, this.#scheduler.now))
      return pick(['refused', 'refused', 'refused', 'hung', 'lost'] as const, roll('outage'))
    // most receives return nothing, so a fault there tests little
    const weight = (WAITING.includes(operation) ? 0.5 : 3) * (process.isCommand ? COMMAND_WEIGHT : 1)
    if (roll('fault') >= faultRate * weight) return undefined
    const fault = pick<Fault>(isBatch ? [...FAULTS, 'partial', 'partial'] : FAULTS, roll('kind'))
    const injected = `${name}: ${fault}`
    if (this.#allowed && !this.#allowed.has(injected)) return undefined
    onFault(injected)
    return fault
  }
}

/** The error of the AWS SDK, and of `fetch`, for a call that its signal aborted. */
export const abortedError = () =>
  Object.assign(new Error('Request aborted'), { name: 'AbortError', $metadata: {} })
