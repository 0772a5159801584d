import type { CloudinaryError } from './cloudinary-error.ts'

/**
 * Whether an event may run now. `probe` is the one event that may try while the breaker is not closed. `wait`: it is open
 * since one time, and need not be asked again until another, both in milliseconds since the epoch.
 */
export type Admission = { outcome: 'go'; probe: boolean } | { outcome: 'wait'; since: number; until: number }

export type BreakerState = { open: true; until: Date; why: string } | { open: false }

export interface BreakerOptions {
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** A number from 0 up to 1. */
  random?: () => number
  /** Told when it opens or closes. */
  onChange?: (state: BreakerState) => void
}

/** Calls that fail one after the other, with none that succeeds between, before it opens. */
const FAILURES_TO_OPEN = 5

/** How long it stays open before an event may try, in milliseconds; twice as long each time that fails. */
const FIRST_PAUSE_MS = 2000
const LONGEST_PAUSE_MS = 60_000

/** How long a probe may take before another event may try, in milliseconds. */
const PROBE_MS = 60_000

/**
 * Tells while one Cloudinary environment is down or limits calls, so that events wait instead of using up their
 * attempts. Open, it lets nothing through until its pause is over; then one event at a time may try, and the first
 * call that succeeds closes it.
 */
export class Breaker {
  readonly #options: Required<BreakerOptions>
  #failures = 0
  #pauseMs = FIRST_PAUSE_MS
  /** Undefined while closed. */
  #openUntil: number | undefined
  #openSince = 0
  #probeUntil = 0
  #answeredAt = Number.NEGATIVE_INFINITY

  constructor(options: BreakerOptions = {}) {
    this.#options = { clock: Date.now, random: Math.random, onChange: () => {}, ...options }
  }

  get isClosed(): boolean {
    return this.#openUntil === undefined
  }

  /**
   * Whether Cloudinary is there, as far as is known here: no call has failed since one was answered; or one was answered
   * after that time, and too few have failed since then to open it.
   *
   * @param time milliseconds since the epoch
   */
  answersSince(time: number): boolean {
    return this.#failures === 0 || (this.isClosed && this.#answeredAt > time)
  }

  /** How many events may run side by side now: none, one that tries, or any number. */
  get capacity(): number {
    if (this.#openUntil === undefined) return Number.POSITIVE_INFINITY
    return this.#openUntil <= this.#options.clock() ? 1 : 0
  }

  /** Asks for an event to run. A probe must be given back by `release` when it has ended. */
  admit(): Admission {
    if (this.#openUntil === undefined) return { outcome: 'go', probe: false }
    const now = this.#options.clock()
    const until = Math.max(this.#openUntil, this.#probeUntil)
    if (until > now) return { outcome: 'wait', since: this.#openSince, until }
    this.#probeUntil = now + PROBE_MS
    return { outcome: 'go', probe: true }
  }

  /** The probe has ended, perhaps without a call that told anything: another event may try. */
  release(): void {
    this.#probeUntil = 0
  }

  /** A call was answered, were it with a refusal: Cloudinary is there. */
  succeeded(): void {
    this.#failures = 0
    this.#answeredAt = this.#options.clock()
    if (this.#openUntil === undefined) return
    this.#openUntil = undefined
    this.#pauseMs = FIRST_PAUSE_MS
    this.#probeUntil = 0
    this.#options.onChange({ open: false })
  }

  /** A call failed. One that was refused, or whose asset is busy, was answered all the same. */
  observe({ fault, code, status }: CloudinaryError): void {
    if (fault.kind === 'permanent' || status === 423) {
      this.succeeded()
      return
    }
    const { clock, random } = this.#options
    this.#failures++
    if (fault.kind === 'rate-limited') {
      // the limit may be of one API alone (the Admin API's is): whether others work, a probe finds out
      this.#open(Math.min(fault.until.getTime(), clock() + LONGEST_PAUSE_MS), code)
      return
    }
    // calls that were under way when it opened say nothing new
    const isOpen = this.#openUntil !== undefined && this.#openUntil > clock()
    if (isOpen || (this.isClosed && this.#failures < FAILURES_TO_OPEN)) return
    this.#open(clock() + this.#pauseMs * (0.5 + random() / 2), code)
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2)
  }

  #open(until: number, why: string): void {
    const wasClosed = this.isClosed
    if (wasClosed) this.#openSince = this.#options.clock()
    this.#openUntil = Math.max(until, this.#openUntil ?? 0)
    this.#probeUntil = 0
    if (wasClosed) this.#options.onChange({ open: true, until: new Date(this.#openUntil), why })
  }
}
