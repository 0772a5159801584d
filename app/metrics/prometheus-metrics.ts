import type { Counter, Histogram, Meter } from '@opentelemetry/api'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { ListenerError } from '../errors.ts'
import { LATENCY_BOUNDS_MS } from './latency-histogram.ts'
import { METRICS, type MetricName } from './metric-names.ts'
import type { CountName, DetailOf, DurationName, GaugeName, RoleMetrics } from './metrics.ts'

export interface PrometheusOptions {
  role: string
  port: number
  host: string
}

const PREFIX = 'cloudinary_listener'

/** Maximum number of label sets of a metric. All others share one, with the label `otel_metric_overflow`. */
const MAX_SERIES = 200

/**
 * Upper bounds of the buckets, in seconds: the base unit of Prometheus.
 * Source: https://prometheus.io/docs/practices/naming/#base-units
 */
const BOUNDS_SECONDS = LATENCY_BOUNDS_MS.map((bound) => bound / 1000)

/** Converts a name: `AckLatency` becomes `ack_latency`. */
const snakeCase = (name: string): string =>
  name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase()

/** Serves the metrics of a role to Prometheus at `/metrics`, on a port of its own. */
export class PrometheusMetrics implements RoleMetrics {
  readonly #options: PrometheusOptions
  readonly #exporter: PrometheusExporter
  readonly #provider: MeterProvider
  readonly #meter: Meter
  readonly #counters = new Map<MetricName, Counter>()
  readonly #histograms = new Map<MetricName, Histogram>()

  constructor(options: PrometheusOptions) {
    this.#options = options
    this.#exporter = new PrometheusExporter({
      ...options,
      prefix: PREFIX,
      withoutScopeInfo: true,
      withoutTargetInfo: true,
      preventServerStart: true
    })
    this.#provider = new MeterProvider({
      readers: [this.#exporter],
      views: [{ instrumentName: '*', aggregationCardinalityLimit: MAX_SERIES }]
    })
    this.#meter = this.#provider.getMeter(PREFIX)
  }

  /**
   * Starts the server.
   *
   * @throws {ListenerError} METRICS_PORT_UNAVAILABLE
   */
  async listen(): Promise<void> {
    try {
      await this.#exporter.startServer()
    } catch (cause) {
      const { port } = this.#options
      throw new ListenerError(
        'METRICS_PORT_UNAVAILABLE',
        `METRICS_PORT ${port} cannot be opened (${(cause as NodeJS.ErrnoException).code}); choose a free port`,
        { cause }
      )
    }
  }

  start(): void {}

  async stop(): Promise<void> {
    await this.#provider.shutdown()
  }

  count<Name extends CountName>(name: Name, by: number, ...[detail]: DetailOf<Name>): void {
    const counter = getOrCreate(this.#counters, name, () =>
      this.#meter.createCounter(snakeCase(name), { description: METRICS[name].meaning })
    )
    counter.add(by, this.#labels(detail))
  }

  time<Name extends DurationName>(name: Name, milliseconds: number, ...[detail]: DetailOf<Name>): void {
    if (!Number.isFinite(milliseconds)) return
    const histogram = getOrCreate(this.#histograms, name, () =>
      this.#meter.createHistogram(`${snakeCase(name)}_seconds`, {
        description: METRICS[name].meaning,
        advice: { explicitBucketBoundaries: BOUNDS_SECONDS }
      })
    )
    // a duration by the clocks of two machines may be negative
    histogram.record(Math.max(0, milliseconds) / 1000, this.#labels(detail))
  }

  gauge(name: GaugeName, read: () => number): void {
    this.#meter
      .createObservableGauge(snakeCase(name), { description: METRICS[name].meaning })
      .addCallback((result) => result.observe(read(), this.#labels()))
  }

  #labels(detail: Record<string, string> = {}): Record<string, string> {
    const given = Object.entries({ Role: this.#options.role, ...detail })
    return Object.fromEntries(given.map(([name, value]) => [name.toLowerCase(), value]))
  }
}

function getOrCreate<Key, Value>(values: Map<Key, Value>, key: Key, create: () => Value): Value {
  const known = values.get(key)
  if (known !== undefined) return known
  const value = create()
  values.set(key, value)
  return value
}
