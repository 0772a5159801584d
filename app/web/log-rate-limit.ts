import type { Logger } from '../logger.ts'

/** Default limit of lines a minute about requests that nobody has signed, for each code. */
const LINES_PER_MINUTE = 100

const MINUTE_MS = 60_000

/** Limits the lines that a sender can have written without a signature. Metrics count every request all the same. */
export class LineLimit {
  readonly #log: Logger
  readonly #clock: () => number
  readonly #written = new Map<string, { since: number; lines: number }>()

  /** @param clock milliseconds */
  constructor(log: Logger, clock: () => number) {
    this.#log = log
    this.#clock = clock
  }

  /**
   * Whether a line with this code may be written. The codes are the listener's own, so they are few.
   *
   * @param linesPerMinute the same at every call with this code
   */
  allows(code: string, linesPerMinute = LINES_PER_MINUTE): boolean {
    const now = this.#clock()
    let written = this.#written.get(code)
    if (!written || now - written.since >= MINUTE_MS) {
      const unwritten = (written?.lines ?? 0) - linesPerMinute
      if (unwritten > 0) this.#log.warn({ code, requests: unwritten }, 'refused requests not logged')
      written = { since: now, lines: 0 }
      this.#written.set(code, written)
    }
    return ++written.lines <= linesPerMinute
  }
}
