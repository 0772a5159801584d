import type { AssetEvent } from '../ingest/event.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Failure, Run } from './run-processor.ts'

export interface ReportOptions {
  log: Logger
  metrics: Metrics
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** A processor's failure, and when the processor runs again. */
export interface Retry {
  failure: Failure
  /** Attempts of the processor that counted. */
  attempt: number
  /** Milliseconds since the epoch. */
  at: number
}

/** The fields of every log line about an event, those that its processors write included. */
export function describeEvent({ id, type, environment, asset, traceId, run }: AssetEvent): object {
  return {
    eventId: id,
    type,
    environment,
    asset: asset?.publicId ?? asset?.assetId,
    traceId,
    run: run?.kind
  }
}

/** Reports the handling of one event: log lines, and the metrics that count it. */
export class Report {
  /** Its lines say which event they are about. */
  readonly log: Logger
  readonly #event: AssetEvent
  readonly #metrics: Metrics
  readonly #clock: () => number

  constructor(event: AssetEvent, { log, metrics, clock }: ReportOptions) {
    this.log = log.child(describeEvent(event))
    this.#event = event
    this.#metrics = metrics
    this.#clock = clock
  }

  ignored(reason: string): void {
    this.#metrics.count('EventsIgnored', 1)
    this.log.info({ outcome: 'ignored', reason }, 'event ignored')
  }

  duplicate(): void {
    this.#metrics.count('EventsDuplicate', 1)
    this.log.info({ outcome: 'duplicate' }, 'duplicate event skipped')
  }

  /** Another worker has the event: the lease of this one was lost. */
  superseded(): void {
    this.log.warn({ code: 'LEASE_LOST' }, 'outcome not recorded: another attempt has begun')
  }

  /** A processor has run. The line about a failure follows when the outcome of the event is known. */
  ran(run: Run): void {
    const { processor: Processor, milliseconds } = run
    this.#metrics.time('ProcessorDuration', milliseconds, { Processor })
    if (run.outcome === 'failed') {
      this.#metrics.count('ProcessorFailed', 1, { Processor })
    } else {
      this.#metrics.count('ProcessorProcessed', 1, { Processor })
      this.log.info({ ...run }, 'event processed')
    }
  }

  deadLettered({ processor, error }: Failure): void {
    this.#metrics.count('EventsDeadLettered', 1)
    this.log.error({ processor, err: error }, 'event dead-lettered')
  }

  /** Every processor has succeeded. */
  processed(): void {
    this.#metrics.count('EventsProcessed', 1)
    // an operator's run may come days later
    if (this.#event.run) return
    this.#metrics.time('EndToEndLatency', this.#clock() - Date.parse(this.#event.receivedAt))
  }

  /** What failed runs again, each processor at its own time. */
  retried(retries: readonly Retry[]): void {
    this.#metrics.count('EventsRetried', 1)
    const now = this.#clock()
    for (const { failure, attempt, at } of retries) {
      const { processor, outcome, fault, error, milliseconds } = failure
      const retryInSeconds = Math.max(0, Math.ceil((at - now) / 1000))
      this.log.warn(
        { processor, outcome, fault: fault.kind, err: error, milliseconds, attempt, retryInSeconds },
        'event failed; it will be tried again'
      )
    }
  }
}
