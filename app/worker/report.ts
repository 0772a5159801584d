import type { AssetEvent } from '../cloudinary/event.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Failure, Run } from './dispatch.ts'

export interface ReportOptions {
  log: Logger
  metrics: Metrics
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** What of an event is in every line about it, those that its processors write included. */
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

/** What is told of one event's handling: a line of the log, and the metrics that count it. */
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
    this.log.info({ outcome: 'duplicate' }, 'event was finished before')
  }

  /** A processor has been run. A failure's line comes when it is known what becomes of the event. */
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
    // an operator's run comes when he has the time for it
    if (this.#event.run) return
    this.#metrics.time('EndToEndLatency', this.#clock() - Date.parse(this.#event.receivedAt))
  }

  /** What failed is tried again. */
  retried(failures: readonly Failure[], attempt: number, retryInSeconds: number): void {
    this.#metrics.count('EventsRetried', 1)
    for (const { processor, outcome, fault, error, milliseconds } of failures) {
      this.log.warn(
        { processor, outcome, fault: fault.kind, err: error, milliseconds, attempt, retryInSeconds },
        'event failed; it will be tried again'
      )
    }
  }
}
