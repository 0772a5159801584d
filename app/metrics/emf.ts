import { Metrics as EmfDocument } from '@aws-lambda-powertools/metrics'
import { type StartInterval, startInterval } from '../interval.ts'
import type { Logger } from '../logger.ts'
import { METRICS, type MetricName } from './metric-names.ts'
import type { CountName, DetailOf, DurationName, GaugeName, RoleMetrics } from './metrics.ts'

export interface EmfMetricsOptions {
  /** The CloudWatch namespace that the metrics appear in. */
  namespace: string
  role: string
  /** Writes one line to standard output. */
  write: (line: string) => void
  /** Receives the warnings of the EMF library. */
  log: Logger
  /** Milliseconds since the epoch. */
  clock: () => number
  every?: StartInterval
}

/** Values under one set of dimensions that are not yet written. */
interface Series {
  document: EmfDocument
  counts: Map<MetricName, number>
  values: Map<MetricName, number[]>
}

/** Interval of writing, in milliseconds. CloudWatch has a resolution of one minute. */
const PERIOD_MS = 60_000

/** Maximum number of values of one metric in a line. Set by EMF. */
const MAX_VALUES = 100

/**
 * Writes metrics as log lines in CloudWatch's Embedded Metric Format, which needs no call and no agent.
 * Aggregates counts and durations for a minute, since a line for each event would cost more than the event.
 * Holds at most 100 durations per metric.
 * Source:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export class EmfMetrics implements RoleMetrics {
  readonly #options: Required<EmfMetricsOptions>
  /** The series by their dimensions. */
  readonly #series = new Map<string, Series>()
  readonly #gauges = new Map<GaugeName, () => number>()
  #stopTimer: () => void = () => {}

  constructor(options: EmfMetricsOptions) {
    this.#options = { every: startInterval, ...options }
  }

  start(): void {
    this.#stopTimer = this.#options.every(PERIOD_MS, () => this.#writeAll())
  }

  stop(): void {
    this.#stopTimer()
    this.#writeAll()
  }

  count<Name extends CountName>(name: Name, by: number, ...[detail]: DetailOf<Name>): void {
    for (const { counts } of this.#seriesOf(name, detail)) counts.set(name, (counts.get(name) ?? 0) + by)
  }

  time<Name extends DurationName>(name: Name, milliseconds: number, ...[detail]: DetailOf<Name>): void {
    this.#record(name, Math.round(milliseconds), detail)
  }

  gauge(name: GaugeName, read: () => number): void {
    this.#gauges.set(name, read)
  }

  #record(name: MetricName, given: number, detail?: Record<string, string>): void {
    // JSON has only finite numbers, and CloudWatch ignores a line with an invalid value
    if (!Number.isFinite(given)) return
    // a duration by the clocks of two machines may be negative
    const value = Math.max(0, given)
    for (const series of this.#seriesOf(name, detail)) {
      const values = series.values.get(name)
      if (values === undefined) series.values.set(name, [value])
      else if (values.push(value) === MAX_VALUES) this.#write(series)
    }
  }

  #seriesOf(name: MetricName, detail: Record<string, string> = {}): Series[] {
    const dimensions: Record<string, string> = { Role: this.#options.role, ...detail }
    return METRICS[name].dimensions.map((names) => {
      const key = names.map((dimension) => `${dimension}=${dimensions[dimension]}`).join('\n')
      const known = this.#series.get(key)
      if (known) return known
      const series = { document: this.#newDocument(names, dimensions), counts: new Map(), values: new Map() }
      this.#series.set(key, series)
      return series
    })
  }

  #newDocument(names: readonly string[], dimensions: Record<string, string>): EmfDocument {
    const { namespace, log } = this.#options
    const document = new EmfDocument({ namespace, logger: log })
    // the library adds the service name
    document.clearDefaultDimensions()
    return document.setDefaultDimensions(
      Object.fromEntries(names.map((dimension) => [dimension, String(dimensions[dimension])]))
    )
  }

  #writeAll(): void {
    for (const [name, read] of this.#gauges) this.#record(name, read())
    for (const series of this.#series.values()) this.#write(series)
  }

  #write({ document, counts, values }: Series): void {
    if (counts.size + values.size === 0) return
    for (const [name, count] of counts) document.addMetric(name, METRICS[name].unit, count)
    // the library is slow at adding values, and writes by itself at the hundredth: give it only the first
    // value, and put all values into the line
    for (const [name, [first = 0]] of values) document.addMetric(name, METRICS[name].unit, first)
    document.setTimestamp(this.#options.clock())
    this.#options.write(JSON.stringify({ ...document.serializeMetrics(), ...Object.fromEntries(values) }))
    document.clearMetrics()
    counts.clear()
    values.clear()
  }
}
