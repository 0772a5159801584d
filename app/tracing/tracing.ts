import type { IncomingHttpHeaders } from 'node:http'
import type { Config } from '../config.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { ReceivedMessage } from '../queue/message-source.ts'

/** The variables of tracing. */
export type TracingConfig = Partial<
  Pick<
    Config,
    | 'OTEL_EXPORTER_OTLP_ENDPOINT'
    | 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'
    | 'OTEL_TRACES_SAMPLER'
    | 'OTEL_TRACES_SAMPLER_ARG'
    | 'QUEUE_URL'
  >
>

/** How a notification arrived. */
export type Arrival = {
  /** Milliseconds since the epoch. */ startedAt: number
  traceId: string | undefined
} & (
  | { kind: 'request'; route: string; path: string; scheme: string; headers: IncomingHttpHeaders }
  | { kind: 'poll'; channel: string }
)

/** The outcome of a notification. */
export interface ReceiveOutcome {
  outcome: string
  code?: string
  reason?: string
  summary?: { type: string | undefined; ids: readonly string[] }
}

/**
 * The span of a received notification. It starts when the notification is known to be authentic, so that an
 * unauthenticated sender cannot create spans or choose which traces are sampled.
 */
export interface ReceiveSpan {
  /** Starts the span, and runs `work` in it. If `work` throws, the span ends. */
  run: <Result>(cloudName: string, work: () => Promise<Result>) => Promise<Result>
  /** Ends the span if it was started. */
  end: (outcome: ReceiveOutcome, httpStatus?: number) => void
}

/** A call to Cloudinary. */
export interface CloudinaryCall {
  name: string
  cloudName: string
  /** URL of its API. */
  apiUrl: string
}

/**
 * Records spans. Each method with `work` runs `work` in a span of its own, and returns its result or throws
 * its error. A span is a child of the one whose work is running.
 */
export interface Tracing {
  receive: (arrival: Arrival) => ReceiveSpan
  /** Passes on the events with the context of the span, which makes it the parent of their processing. */
  send: <Result>(
    events: readonly AssetEvent[],
    work: (traced: readonly AssetEvent[]) => Promise<Result>
  ) => Promise<Result>
  process: <Outcome extends { outcome: string }>(
    message: ReceivedMessage,
    event: AssetEvent,
    work: () => Promise<Outcome>
  ) => Promise<Outcome>
  processor: <Run extends { outcome: 'succeeded' } | { outcome: 'failed'; error: unknown }>(
    name: string,
    work: () => Promise<Run>
  ) => Promise<Run>
  /** Records no span unless an event is being traced. */
  cloudinary: <Result>(call: CloudinaryCall, work: () => Promise<Result>) => Promise<Result>
  /**
   * Records no span unless an event is being traced.
   *
   * @param operation such as `UpdateItem`
   */
  dynamoDb: <Result>(operation: string, table: string, work: () => Promise<Result>) => Promise<Result>
}

/** The tracing of a process. */
export interface ProcessTracing extends Tracing {
  /** Sends the remaining spans, for a limited time. Never throws. */
  stop: () => Promise<void>
}
