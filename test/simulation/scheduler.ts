import { Random } from './random.ts'

/** Immediate that really yields: microtasks and `nextTick` callbacks run before the next one. */
const yieldTo = setImmediate

/** Turns that are queued in one pass of the event loop; more saves passes. */
const TURNS_AT_A_TIME = 32

/** A `Map` or `Set` that lives as long as its process. */
interface LongLived {
  /** The class whose field it is. */
  owner: string
  collection: { readonly size: number }
}

/** Time that handlers of a worker that stops have before their signals abort, in milliseconds. */
export const GRACE_MS = 60_000

/** A process of the simulated system. All code that runs belongs to the process of the last delivered event. */
export class SimulatedProcess {
  readonly name: string
  readonly random: Random
  /** Difference of its clock, in milliseconds. */
  readonly skewMs: number
  /** Ended or killed: its timers are dropped, and answers are not delivered. */
  dead = false
  /** Stopped like by SIGSTOP until this time: timers and answers wait. */
  pausedUntil = 0
  /** When it was asked to stop. */
  stoppedAt = Number.POSITIVE_INFINITY
  /** Time of the last SQS call that an injected fault made fail. */
  queueFailedAt = 0
  /** When a read of the secret last failed. */
  secretFailedAt = 0
  /** Timers that have not fired, without those of `AbortSignal.timeout`. */
  timers = 0
  /** It runs an operator's command, not a role. */
  isCommand = false
  /** Its role is not ready yet. */
  isStarting = false
  readonly collections: LongLived[] = []
  /** Number of calls by operation; names a call independently of other processes. */
  readonly calls = new Map<string, number>()

  constructor(name: string, seed: number, skewMs = 0) {
    this.name = name
    this.random = new Random(seed, name)
    this.skewMs = skewMs
  }
}

/** A scheduled event: a timer, an answer, or work of a model. */
export interface Task {
  time: number
  order: number
  /** Undefined for work of a model, which no process can stop. */
  process: SimulatedProcess | undefined
  label: string
  run: () => void
  isCancelled: boolean
}

/** Start of each simulation: a Monday in 2026, in milliseconds since the epoch. */
export const START = Date.UTC(2026, 0, 5, 8)

/**
 * Delivers events in the order of virtual time, one at a time: whatever an event causes without a timer or a
 * call ends before the next event. So the same seed gives the same order.
 */
export class Scheduler {
  now = START
  current: SimulatedProcess | undefined
  /** Label of the event that is being delivered. */
  label = ''
  /** Delivered timers and answers. */
  steps = 0
  /** Digest of time, process and label of every step. */
  trace = 0x811c9dc5
  readonly #heap: Task[] = []
  #order = 0

  /** Schedules an event. An event of a dead process is never delivered. */
  at(time: number, process: SimulatedProcess | undefined, label: string, run: () => void): Task {
    const task = {
      time: Math.max(time, this.now),
      order: this.#order++,
      process,
      label,
      run,
      isCancelled: false
    }
    this.#push(task)
    return task
  }

  /** Runs code as a process, such as its start, without waiting for its end. */
  runAs(process: SimulatedProcess, run: () => void): void {
    const before = this.current
    this.current = process
    try {
      run()
    } finally {
      this.current = before
    }
  }

  /** Delivers events until `isDone` or until none is left. Rejects with what a task throws. */
  run(isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false
      const turn = () => {
        if (isOver) return
        try {
          if (isDone() || !this.#deliverNext()) {
            isOver = true
            this.current = undefined
            resolve()
          }
        } catch (error) {
          isOver = true
          reject(error)
        }
      }
      const pass = () => {
        if (isOver) return
        for (let turns = 1; turns < TURNS_AT_A_TIME; turns++) yieldTo(turn)
        yieldTo(pass)
        turn()
      }
      pass()
    })
  }

  #deliverNext(): boolean {
    for (let task = this.#pop(); task; task = this.#pop()) {
      const { process } = task
      if (task.isCancelled || process?.dead) continue
      this.now = task.time
      if (process && process.pausedUntil > this.now) {
        this.#push({ ...task, time: process.pausedUntil, order: this.#order++ })
        continue
      }
      this.current = process
      this.label = task.label
      if (process) this.#record(task)
      task.run()
      return true
    }
    return false
  }

  #record({ time, process, label }: Task): void {
    this.steps++
    let hash = Math.imul(this.trace ^ (time - START), 0x01000193)
    const text = process!.name + label
    for (let index = 0; index < text.length; index++)
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
    this.trace = hash >>> 0
  }

  #push(task: Task): void {
    const heap = this.#heap
    let index = heap.push(task) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(task, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = task
  }

  #pop(): Task | undefined {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (heap.length === 0 || !last) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return first
  }
}

const isBefore = (a: Task, b: Task): boolean => a.time < b.time || (a.time === b.time && a.order < b.order)
