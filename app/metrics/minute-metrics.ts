import { type StartInterval, startInterval } from '../interval.ts'
import type { Logger } from '../logger.ts'
import type { CountName, DetailOf, DurationName, GaugeName, RoleMetrics } from './metrics.ts'
import { MinuteCounts, type MinuteRecord } from './minute-counts.ts'

export interface MinuteMetricsOptions {
  /** Stores the totals of a minute so far; a later call for the same minute replaces them. */
  put: (record: MinuteRecord) => Promise<void>
  log: Logger
  /** Milliseconds since the epoch. */
  clock: () => number
  every?: StartInterval
}

/** Interval of writes, in milliseconds. */
const PERIOD_MS = 10_000

/** Maximum number of minutes to keep while writes fail. Older minutes are dropped. */
const MAX_MINUTES = 5

/** Minimum time between two logs of failed writes, in milliseconds. */
const LOG_PERIOD_MS = 60_000

const COUNTS: Partial<Record<CountName, keyof MinuteRecord['counts']>> = {
  NotificationsAccepted: 'accepted',
  EventsProcessed: 'done',
  EventsRetried: 'retried',
  EventsDeadLettered: 'dead',
  EventsIgnored: 'ignored'
}

const RUNS: Partial<Record<CountName, 'runs' | 'failures'>> = {
  ProcessorProcessed: 'runs',
  ProcessorFailed: 'failures'
}

const LATENCIES: Partial<Record<DurationName, 'acknowledge' | 'endToEnd'>> = {
  AckLatency: 'acknowledge',
  EndToEndLatency: 'endToEnd'
}

/**
 * Counts by minute for the charts of the activity page. Counting never waits: a timer writes the totals every
 * 10 s, one write at a time. While the journal does not answer, the last five minutes stay in memory.
 */
export class MinuteMetrics implements RoleMetrics {
  readonly #options: Required<MinuteMetricsOptions>
  readonly #minutes = new Map<string, MinuteCounts>()
  #writing: Promise<void> | undefined
  #loggedAt = Number.NEGATIVE_INFINITY
  #stopTimer: () => void = () => {}

  constructor(options: MinuteMetricsOptions) {
    this.#options = { every: startInterval, ...options }
  }

  start(): void {
    this.#stopTimer = this.#options.every(PERIOD_MS, () => {
      this.#writing ??= this.#writeAll().finally(() => {
        this.#writing = undefined
      })
    })
  }

  /** Writes the remaining counts. Also resolves if the write fails. */
  async stop(): Promise<void> {
    this.#stopTimer()
    await this.#writing
    await this.#writeAll()
  }

  count<Name extends CountName>(name: Name, by: number, ...[detail]: DetailOf<Name>): void {
    const { Reason, Processor } = (detail ?? {}) as Record<string, string | undefined>
    const count = COUNTS[name]
    const run = RUNS[name]
    if (count) this.#current().add(count, by)
    else if (run && Processor) this.#current().addRun(Processor, run, by)
    else if (Reason && (name === 'NotificationsRefused' || name === 'NotificationsUnavailable'))
      this.#current().addRefused(Reason, by)
  }

  time<Name extends DurationName>(name: Name, milliseconds: number, ..._detail: DetailOf<Name>): void {
    const latency = LATENCIES[name]
    if (latency) this.#current().addLatency(latency, milliseconds)
  }

  /** Ignores gauges. */
  gauge(_name: GaugeName, _read: () => number): void {}

  #current(): MinuteCounts {
    const minute = minuteOf(this.#options.clock())
    const known = this.#minutes.get(minute)
    if (known) return known
    const counts = new MinuteCounts(minute)
    this.#minutes.set(minute, counts)
    const [oldest] = this.#minutes.keys()
    if (this.#minutes.size > MAX_MINUTES && oldest !== undefined) this.#minutes.delete(oldest)
    return counts
  }

  async #writeAll(): Promise<void> {
    const { put, log, clock } = this.#options
    for (const [minute, counts] of [...this.#minutes]) {
      if (counts.isChanged) {
        try {
          await put(counts.record())
        } catch (err) {
          counts.isChanged = true
          if (clock() - this.#loggedAt >= LOG_PERIOD_MS) {
            this.#loggedAt = clock()
            log.warn({ err }, 'minute counts not written; retrying')
          }
          return
        }
      }
      if (minute !== minuteOf(clock()) && !counts.isChanged) this.#minutes.delete(minute)
    }
  }
}

const minuteOf = (time: number): string => `${new Date(time).toISOString().slice(0, 16)}:00.000Z`
