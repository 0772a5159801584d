import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import timersPromises from 'node:timers/promises'
import { type Scheduler, START, type Task } from './scheduler.ts'

/** The real timers, for code outside simulated processes, such as the test runner. */
const REAL = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  now: Date.now,
  random: Math.random,
  performanceNow: performance.now,
  abortTimeout: AbortSignal.timeout,
  sleep: timersPromises.setTimeout,
  randomUUID: crypto.randomUUID,
  randomBytes: crypto.randomBytes
}

/** A timer of virtual time. */
class VirtualTimer {
  readonly scheduler: Scheduler
  readonly process
  task: Task | undefined

  constructor(scheduler: Scheduler, milliseconds: number, run: () => void, isRepeated: boolean) {
    this.scheduler = scheduler
    this.process = scheduler.current!
    this.process.timers++
    const start = () => {
      this.task = scheduler.at(
        scheduler.now + Math.max(1, Math.ceil(milliseconds) || 1),
        this.process,
        isRepeated ? 'interval' : 'timer',
        () => {
          if (isRepeated) start()
          else this.#end()
          run()
        }
      )
    }
    start()
  }

  clear(): void {
    if (!this.task) return
    this.task.isCancelled = true
    this.#end()
  }

  unref(): this {
    return this
  }

  ref(): this {
    return this
  }

  #end(): void {
    this.task = undefined
    this.process.timers--
  }
}

/** The timers of `AbortSignal.timeout`, by their signals. */
const deadlines = new WeakMap<AbortSignal, Task>()

/** Drops the timer of a signal whose only call has ended, so that it is not delivered in vain. */
export function dropDeadline(signal: AbortSignal | undefined): void {
  const task = signal && deadlines.get(signal)
  if (task) task.isCancelled = true
}

/**
 * Makes the clocks, timers and random numbers of simulated processes virtual: globals, `node:timers/promises`,
 * `AbortSignal.timeout`, and the random functions of `node:crypto`. Code outside a simulated process keeps the
 * real ones.
 *
 * @returns what restores the real ones
 */
export function installVirtualTime(scheduler: Scheduler): () => void {
  const virtual = <Fallback extends (...args: never[]) => unknown>(fallback: Fallback, isRepeated: boolean) =>
    ((run: (...args: unknown[]) => void, milliseconds = 1, ...args: unknown[]) =>
      scheduler.current
        ? new VirtualTimer(scheduler, milliseconds, () => run(...args), isRepeated)
        : (fallback as unknown as (...given: unknown[]) => unknown)(
            run,
            milliseconds,
            ...args
          )) as unknown as Fallback
  const clear = (timer: unknown) => {
    if (timer instanceof VirtualTimer) timer.clear()
    else REAL.clearTimeout(timer as NodeJS.Timeout)
  }
  globalThis.setTimeout = Object.assign(virtual(REAL.setTimeout, false), {
    __promisify__: REAL.setTimeout.__promisify__
  })
  globalThis.setInterval = virtual(REAL.setInterval, true)
  globalThis.clearTimeout = clear
  globalThis.clearInterval = clear
  globalThis.setImmediate = Object.assign(
    ((run: (...args: unknown[]) => void, ...args: unknown[]) =>
      scheduler.current
        ? scheduler.at(scheduler.now, scheduler.current, 'immediate', () => run(...args))
        : REAL.setImmediate(run, ...args)) as unknown as typeof REAL.setImmediate,
    { __promisify__: REAL.setImmediate.__promisify__ }
  )
  Date.now = () => (scheduler.current ? scheduler.now + scheduler.current.skewMs : REAL.now())
  Math.random = () => (scheduler.current ? scheduler.current.random.next() : REAL.random())
  performance.now = () => (scheduler.current ? scheduler.now - START : REAL.performanceNow.call(performance))
  AbortSignal.timeout = (milliseconds) => {
    if (!scheduler.current) return REAL.abortTimeout.call(AbortSignal, milliseconds)
    const controller = new AbortController()
    const task = scheduler.at(scheduler.now + milliseconds, scheduler.current, 'deadline', () =>
      controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
    )
    deadlines.set(controller.signal, task)
    return controller.signal
  }
  const sleep = (milliseconds = 1, value: unknown = undefined, options: { signal?: AbortSignal } = {}) => {
    if (!scheduler.current) return REAL.sleep(milliseconds, value, options)
    const { signal } = options
    return new Promise((resolve, reject) => {
      const aborted = () => {
        timer.clear()
        reject(abortError(signal))
      }
      if (signal?.aborted) return reject(abortError(signal))
      const timer = new VirtualTimer(
        scheduler,
        milliseconds,
        () => {
          signal?.removeEventListener('abort', aborted)
          resolve(value)
        },
        false
      )
      signal?.addEventListener('abort', aborted, { once: true })
    })
  }
  timersPromises.setTimeout = sleep as typeof timersPromises.setTimeout
  crypto.randomUUID = ((options) =>
    scheduler.current
      ? `${scheduler.current.random.hex(8)}-0000-4000-8000-${scheduler.current.random.hex(12)}`
      : REAL.randomUUID(options)) as typeof crypto.randomUUID
  crypto.randomBytes = ((size: number, callback?: never) =>
    scheduler.current && !callback
      ? Buffer.from(scheduler.current.random.hex(2 * size), 'hex')
      : REAL.randomBytes(size, callback as never)) as typeof crypto.randomBytes
  syncBuiltinESMExports()
  return restore
}

function restore(): void {
  globalThis.setTimeout = REAL.setTimeout
  globalThis.setInterval = REAL.setInterval
  globalThis.clearTimeout = REAL.clearTimeout
  globalThis.clearInterval = REAL.clearInterval
  globalThis.setImmediate = REAL.setImmediate
  Date.now = REAL.now
  Math.random = REAL.random
  performance.now = REAL.performanceNow
  AbortSignal.timeout = REAL.abortTimeout
  timersPromises.setTimeout = REAL.sleep
  crypto.randomUUID = REAL.randomUUID
  crypto.randomBytes = REAL.randomBytes
  syncBuiltinESMExports()
}

/** Like the error of `node:timers/promises`. */
function abortError(signal: AbortSignal | undefined): Error {
  return Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), {
    name: 'AbortError',
    code: 'ABORT_ERR'
  })
}
