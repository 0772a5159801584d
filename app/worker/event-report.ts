import type { AssetEvent } from '../ingest/event.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { FailedRun, ProcessorRun } from './run-processor.ts'

/** The outcome of handling an event. Outcomes with `delaySeconds` return its message to the queue. */
export type EventOutcome =
  | { outcome: 'ignored'; reason: string }
  | { outcome: 'duplicate' }
  /** Every processor has succeeded. */
  | { outcome: 'processed' }
  /** Every processor has finished, and at least one is dead-lettered. */
  | { outcome: 'dead' }
  /** Nothing ran: no processor is due, or Cloudinary is down. */
  | { outcome: 'deferred'; delaySeconds: number }
  /** Some processors run again, each at its own time. `retries` are those that failed now. */
  | { outcome: 'retrying'; retries: readonly Retry[]; delaySeconds: number }
  /** Another attempt has started, because this worker lost its lease. */
  | { outcome: 'superseded'; delaySeconds: 0 }

/** A failed run of a processor, and when the processor runs again. */
export interface Retry {
  run: FailedRun
  /** Attempts of the processor that counted. */
  attempt: number
  /** Milliseconds since the epoch. */
  at: number
}

export interface EventReportOptions {
  log: Logger
  metrics: Metrics
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** Returns the fields of every log line about an event, including the lines that processors write. */
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

/** Reports the handling of one event in log lines and metrics. */
export class EventReport {
  /** A logger whose lines name the event. */
  readonly log: Logger
  readonly #event: AssetEvent
  readonly #metrics: Metrics
  readonly #clock: () => number

  constructor(event: AssetEvent, { log, metrics, clock }: EventReportOptions) {
    this.log = log.child(describeEvent(event))
    this.#event = event
    this.#metrics = metrics
    this.#clock = clock
  }

  /** Reports a run. A failure is logged with the outcome of the event, which has the retry time. */
  ran(run: ProcessorRun): void {
    const { processor: Processor, milliseconds } = run
    this.#metrics.time('ProcessorDuration', milliseconds, { Processor })
    if (run.outcome === 'failed') {
      this.#metrics.count('ProcessorFailed', 1, { Processor })
    } else {
      this.#metrics.count('ProcessorProcessed', 1, { Processor })
      this.log.info({ ...run }, 'event processed')
    }
  }

  /** Reports a dead letter. */
  deadLettered({ processor, error }: FailedRun): void {
    this.#metrics.count('EventsDeadLettered', 1)
    this.log.error({ processor, err: error }, 'event dead-lettered')
  }

  /** Reports the outcome of the event. */
  ended(result: EventOutcome): void {
    switch (result.outcome) {
      case 'ignored':
        this.#metrics.count('EventsIgnored', 1)
        this.log.info({ ...result }, 'event ignored')
        break
      case 'duplicate':
        this.#metrics.count('EventsDuplicate', 1)
        this.log.info({ ...result }, 'duplicate event skipped')
        break
      case 'processed':
        this.#metrics.count('EventsProcessed', 1)
        this.#latency()
        break
      case 'retrying':
        this.#retrying(result.retries)
        break
      case 'superseded':
        this.log.warn({ code: 'LEASE_LOST' }, 'attempt superseded by another worker')
        break
      case 'dead':
      case 'deferred':
        break
    }
  }

  #retrying(retries: readonly Retry[]): void {
    if (retries.length > 0) this.#metrics.count('EventsRetried', 1)
    for (const { run, attempt, at } of retries) {
      const { processor, outcome, failure, error, milliseconds } = run
      const retryInSeconds = Math.max(0, Math.ceil((at - this.#clock()) / 1000))
      this.log.warn(
        { processor, outcome, fault: failure.kind, err: error, milliseconds, attempt, retryInSeconds },
        'event failed; will be retried'
      )
    }
  }

  /**
   * Records the latency of an event, but not of a redrive or replay, which may come days after the receipt.
   */
  #latency(): void {
    const { run, receivedAt } = this.#event
    if (!run) this.#metrics.time('EndToEndLatency', this.#clock() - Date.parse(receivedAt))
  }
}
