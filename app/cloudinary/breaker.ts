import type { CloudinaryError } from './cloudinary-error.ts'

/**
 * The decision about an event that asks to run. `probe`: this is the one event that tests whether an open
 * breaker can close. `since`: when the breaker opened; `until`: when to ask again; both in milliseconds since
 * the epoch.
 */
export type Admission = { outcome: 'go'; probe: boolean } | { outcome: 'wait'; since: number; until: number }

export type BreakerState = { open: true; until: Date; why: string } | { open: false }

/** A call to Cloudinary, as known at its start. Times are in milliseconds since the epoch. */
export interface Call {
  startedAt: number
  /** Start of the latest call that had been answered. */
  answeredAt: number
}

export interface BreakerOptions {
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** A number from 0 up to 1. */
  random?: () => number
  /** Called when the breaker opens or closes. */
  onChange?: (state: BreakerState) => void
}

/** Number of consecutive failed calls that open the breaker. */
const FAILURES_TO_OPEN = 5

/** Time from opening to the first probe, in milliseconds. Doubles with each failed probe. */
const FIRST_PAUSE_MS = 2000
const MAX_PAUSE_MS = 60_000

/** Maximum duration of a probe before another event may probe, in milliseconds. */
const PROBE_MS = 60_000

/**
 * Circuit breaker of one Cloudinary environment: while Cloudinary is down or limits calls, events wait
 * instead of using up their attempts. After a pause, an open breaker admits one event at a time as a probe.
 * The first answered call closes it.
 */
export class Breaker {
  readonly #options: Required<BreakerOptions>
  #failures = 0
  #pauseMs = FIRST_PAUSE_MS
  /** Undefined while closed. */
  #openUntil: number | undefined
  #openSince = 0
  #probeUntil = 0
  /** Start of the latest answered call. A process that was stopped for a while reads a response late. */
  #answeredAt = Number.NEGATIVE_INFINITY
  /** The same, when the call that failed last started. A call that starts in an outage may fail after its end. */
  #answeredBeforeFailureAt = Number.NEGATIVE_INFINITY

  constructor(options: BreakerOptions = {}) {
    this.#options = { clock: Date.now, random: Math.random, onChange: () => {}, ...options }
  }

  get isClosed(): boolean {
    return this.#openUntil === undefined
  }

  /** Records the start of a call. */
  start(): Call {
    return { startedAt: this.#options.clock(), answeredAt: this.#answeredAt }
  }

  /**
   * Returns whether Cloudinary seems available: no call has failed since the last response; or a call that started
   * after `time` was answered before the call that failed last started, and too few have failed since to open
   * the breaker.
   *
   * @param time milliseconds since the epoch
   */
  answersSince(time: number): boolean {
    return this.#failures === 0 || (this.isClosed && this.#answeredBeforeFailureAt > time)
  }

  /** Number of events that may run concurrently now: none, one (a probe) or any number. */
  get capacity(): number {
    if (this.#openUntil === undefined) return Number.POSITIVE_INFINITY
    return this.#openUntil <= this.#options.clock() ? 1 : 0
  }

  /** Asks to run an event. The caller must `release` a probe at the end. */
  admit(): Admission {
    if (this.#openUntil === undefined) return { outcome: 'go', probe: false }
    const now = this.#options.clock()
    const until = Math.max(this.#openUntil, this.#probeUntil)
    if (until > now) return { outcome: 'wait', since: this.#openSince, until }
    this.#probeUntil = now + PROBE_MS
    return { outcome: 'go', probe: true }
  }

  /** Ends the probe, so that another event may probe. The probe may have made no call. */
  release(): void {
    this.#probeUntil = 0
  }

  /** Records a response. An error response counts too: Cloudinary is available. */
  succeeded({ startedAt } = this.start()): void {
    this.#failures = 0
    this.#answeredAt = Math.max(this.#answeredAt, startedAt)
    if (this.#openUntil === undefined) return
    this.#openUntil = undefined
    this.#pauseMs = FIRST_PAUSE_MS
    this.#probeUntil = 0
    this.#options.onChange({ open: false })
  }

  /** Records a failed call. A rejected call, or one whose asset is busy (423), counts as a response. */
  observe({ failure, code, status }: CloudinaryError, call = this.start()): void {
    if (failure.kind === 'permanent' || status === 423) {
      this.succeeded(call)
      return
    }
    const { clock, random } = this.#options
    this.#failures++
    this.#answeredBeforeFailureAt = call.answeredAt
    if (failure.kind === 'rate-limited') {
      // the limit may apply to one API only, such as the Admin API; a probe finds out
      this.#open(Math.min(failure.until.getTime(), clock() + MAX_PAUSE_MS), code)
      return
    }
    // ignore failures of calls that started before it opened
    const isOpen = this.#openUntil !== undefined && this.#openUntil > clock()
    if (isOpen || (this.isClosed && this.#failures < FAILURES_TO_OPEN)) return
    this.#open(clock() + this.#pauseMs * (0.5 + random() / 2), code)
    this.#pauseMs = Math.min(MAX_PAUSE_MS, this.#pauseMs * 2)
  }

  #open(until: number, why: string): void {
    const wasClosed = this.isClosed
    if (wasClosed) this.#openSince = this.#options.clock()
    this.#openUntil = Math.max(until, this.#openUntil ?? 0)
    this.#probeUntil = 0
    if (wasClosed) this.#options.onChange({ open: true, until: new Date(this.#openUntil), why })
  }
}
