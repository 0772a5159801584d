import { LatencyHistogram } from './latency-histogram.ts'

/** Counts of one process in one minute. They are totals, so a later write replaces an earlier one. */
export interface MinuteRecord {
  /** Start of the minute; ISO 8601, UTC. */
  minute: string
  counts: { accepted: number; done: number; retried: number; dead: number; ignored: number }
  /** Notifications that were not stored, by code. */
  refused: Record<string, number>
  processors: Record<string, { runs: number; failures: number }>
  /** Bucket counts of {@link LatencyHistogram}. */
  acknowledge: number[]
  endToEnd: number[]
}

/** Maximum number of codes, and of processors, with counts of their own. All others share one name. */
const MAX_NAMES = 50

const OTHERS = '(others)'

/** Counts of one minute in memory. */
export class MinuteCounts {
  readonly #counts = { accepted: 0, done: 0, retried: 0, dead: 0, ignored: 0 }
  readonly #refused: Record<string, number> = {}
  readonly #processors: Record<string, { runs: number; failures: number }> = {}
  readonly #acknowledge = new LatencyHistogram()
  readonly #endToEnd = new LatencyHistogram()
  readonly #minute: string
  /** True if counts have changed since the last {@link record}. */
  isChanged = false

  constructor(minute: string) {
    this.#minute = minute
  }

  add(name: keyof MinuteRecord['counts'], by: number): void {
    this.#counts[name] += by
    this.isChanged = true
  }

  addRefused(code: string, by: number): void {
    const name = nameIn(this.#refused, code)
    this.#refused[name] = (this.#refused[name] ?? 0) + by
    this.isChanged = true
  }

  addRun(processor: string, outcome: 'runs' | 'failures', by: number): void {
    const name = nameIn(this.#processors, processor)
    const counts = this.#processors[name] ?? { runs: 0, failures: 0 }
    counts.runs += by
    if (outcome === 'failures') counts.failures += by
    this.#processors[name] = counts
    this.isChanged = true
  }

  addLatency(name: 'acknowledge' | 'endToEnd', milliseconds: number): void {
    const histogram = name === 'acknowledge' ? this.#acknowledge : this.#endToEnd
    histogram.add(milliseconds)
    this.isChanged = true
  }

  /** Returns the totals so far, and clears {@link isChanged}. */
  record(): MinuteRecord {
    this.isChanged = false
    return structuredClone({
      minute: this.#minute,
      counts: this.#counts,
      refused: this.#refused,
      processors: this.#processors,
      acknowledge: this.#acknowledge.buckets,
      endToEnd: this.#endToEnd.buckets
    })
  }
}

const nameIn = (known: object, name: string): string =>
  Object.hasOwn(known, name) || Object.keys(known).length < MAX_NAMES ? name : OTHERS
