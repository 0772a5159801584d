import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { Logger } from '../logger.ts'

/** Minimum time between two reports of lost spans, in milliseconds. */
const REPORT_PERIOD_MS = 60_000

/** Passes spans to an exporter, and logs at most once a minute that they were lost. */
export class ReportingExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #log: Logger
  readonly #clock: () => number
  #reportedAt = Number.NEGATIVE_INFINITY
  /** Spans lost since the last report. */
  #lost = 0

  /** @param clock monotonic, in milliseconds */
  constructor(exporter: SpanExporter, log: Logger, clock: () => number = () => performance.now()) {
    this.#exporter = exporter
    this.#log = log
    this.#clock = clock
  }

  export(spans: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#exporter.export(spans, (result) => {
      // 0 is success
      if (result.code !== 0) this.#report(spans.length, result.error)
      done(result)
    })
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }

  #report(spans: number, err: Error | undefined): void {
    this.#lost += spans
    if (this.#clock() - this.#reportedAt < REPORT_PERIOD_MS) return
    this.#reportedAt = this.#clock()
    this.#log.warn({ err, code: 'TRACE_EXPORT_FAILED', spans: this.#lost }, 'spans not exported')
    this.#lost = 0
  }
}
