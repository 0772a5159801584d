import { Metrics as EmfDocument } from '@aws-lambda-powertools/metrics'
import { type StartInterval, startInterval } from '../interval.ts'
import type { Logger } from '../logger.ts'
import { METRICS, type MetricName } from './metric-names.ts'
import type { CountName, DetailOf, DurationName, GaugeName, RoleMetrics } from './metrics.ts'

export interface EmfMetricsOptions {
  /** The CloudWatch namespace that the metrics appear in. */
  namespace: string
  role: string
  /** Writes one line where CloudWatch Logs finds it: on standard output, as it is. */
  write: (line: string) => void
  /** Told what the library that makes the lines warns of. */
  log: Logger
  /** Milliseconds since the epoch. */
  clock: () => number
  every?: StartInterval
}

/** What is gathered under one set of dimensions until it is written. */
interface Series {
  document: EmfDocument
  counts: Map<MetricName, number>
  values: Map<MetricName, number[]>
}

/** How long is gathered before it is written, in milliseconds: CloudWatch itself keeps a value for each minute. */
const PERIOD_MS = 60_000

/** Values of one metric that EMF takes in a line. */
const MAXIMUM_VALUES = 100

/**
 * Metrics as lines in CloudWatch's Embedded Metric Format, which CloudWatch Logs turns into metrics: no call, no agent.
 * A line for each event would cost more than the event, so counts are added up, and durations gathered, for a minute; at
 * most 100 durations of each metric are held.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export class EmfMetrics implements RoleMetrics {
  readonly #options: Required<EmfMetricsOptions>
  /** By the values of their dimensions. */
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
    this.#note(name, Math.round(milliseconds), detail)
  }

  gauge(name: GaugeName, read: () => number): void {
    this.#gauges.set(name, read)
  }

  #note(name: MetricName, given: number, detail?: Record<string, string>): void {
    // JSON has no such numbers, and for one bad value CloudWatch ignores the line
    if (!Number.isFinite(given)) return
    // the clocks of two machines may differ
    const value = Math.max(0, given)
    for (const series of this.#seriesOf(name, detail)) {
      const values = series.values.get(name)
      if (values === undefined) series.values.set(name, [value])
      else if (values.push(value) === MAXIMUM_VALUES) this.#write(series)
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
    // the library's own is a service's name
    document.clearDefaultDimensions()
    return document.setDefaultDimensions(
      Object.fromEntries(names.map((dimension) => [dimension, String(dimensions[dimension])]))
    )
  }

  #writeAll(): void {
    for (const [name, read] of this.#gauges) this.#note(name, read())
    for (const series of this.#series.values()) this.#write(series)
  }

  #write({ document, counts, values }: Series): void {
    if (counts.size + values.size === 0) return
    for (const [name, count] of counts) document.addMetric(name, METRICS[name].unit, count)
    // the library takes values one by one, at some microseconds each, and at the hundredth writes by itself; so it is
    // given the first, and the line gets all of them
    for (const [name, [first = 0]] of values) document.addMetric(name, METRICS[name].unit, first)
    document.setTimestamp(this.#options.clock())
    this.#options.write(JSON.stringify({ ...document.serializeMetrics(), ...Object.fromEntries(values) }))
    document.clearMetrics()
    counts.clear()
    values.clear()
  }
}
