import type { Logger } from '../logger.ts'

/** Default maximum of log lines per minute and code. */
const LINES_PER_MINUTE = 100

const MINUTE_MS = 60_000

/** Limits the log lines for unverified requests. Metrics count every request. */
export class LogRateLimit {
  readonly #log: Logger
  readonly #clock: () => number
  readonly #written = new Map<string, { since: number; lines: number }>()

  /** @param clock milliseconds */
  constructor(log: Logger, clock: () => number) {
    this.#log = log
    this.#clock = clock
  }

  /**
   * Returns whether a line with this code may be written. The map stays small, because the codes are the
   * listener's own.
   *
   * @param linesPerMinute must be the same for all calls with a code
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
