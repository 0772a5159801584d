import {
  type Attributes,
  type Context,
  type ContextManager,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  type Tracer,
  trace
} from '@opentelemetry/api'
import type { AssetEvent } from '../ingest/event.ts'
import type { ReceivedMessage } from '../queue/message-source.ts'
import { describeArrival, describeEvent } from './span-attributes.ts'
import { endReceive, fail, failWith } from './span-outcome.ts'
import {
  contextBelow,
  parseTraceparent,
  type TraceStart,
  traceparentOf,
  traceStartOf
} from './trace-context.ts'
import type { Arrival, CloudinaryCall, ReceiveSpan, Tracing } from './tracing.ts'

export interface OtelTracingOptions {
  tracer: Tracer
  /** Holds the context of the work that is running. */
  contexts: ContextManager
  /** Receives the id of the next trace. */
  ids: { next: string | undefined }
  queueUrl: string | undefined
}

const FAILED_OUTCOMES: readonly string[] = ['dead', 'retrying']

/**
 * Records spans by the semantic conventions of OpenTelemetry for HTTP, messaging and DynamoDB. What they do not
 * cover has the prefix `cloudinary.`.
 * Sources: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/,
 * https://opentelemetry.io/docs/specs/semconv/messaging/sqs/,
 * https://opentelemetry.io/docs/specs/semconv/http/http-spans/,
 * https://opentelemetry.io/docs/specs/semconv/db/dynamodb/
 */
export class OtelTracing implements Tracing {
  readonly #options: OtelTracingOptions
  readonly #queueName: string

  constructor(options: OtelTracingOptions) {
    this.#options = options
    this.#queueName = options.queueUrl?.replace(/^.*\//, '') ?? 'unknown'
  }

  receive(arrival: Arrival): ReceiveSpan {
    const { contexts } = this.#options
    let span: Span | undefined
    return {
      run: (cloudName, work) => {
        const start = arrival.kind === 'request' ? traceStartOf(arrival.headers) : { context: ROOT_CONTEXT }
        const started = this.#startReceive(arrival, cloudName, start)
        span = started
        return contexts.with(trace.setSpan(start.context, started), work).catch((error: unknown) => {
          failWith(started, error)
          started.end()
          throw error
        })
      },
      end: (outcome, httpStatus) => {
        if (span) endReceive(span, outcome, httpStatus)
      }
    }
  }

  async send<Result>(
    events: readonly AssetEvent[],
    work: (traced: readonly AssetEvent[]) => Promise<Result>
  ): Promise<Result> {
    const [first] = events
    const attributes = {
      ...this.#messaging('send'),
      ...(events.length === 1 && first
        ? describeEvent(first)
        : { 'messaging.batch.message_count': events.length })
    }
    // a replay or a redrive continues no trace that ended long ago, but points to it
    const links = events.flatMap(({ traceparent }) => {
      const context = parseTraceparent(traceparent)
      return context ? [{ context }] : []
    })
    const options = { kind: SpanKind.PRODUCER, attributes, links }
    return this.#inSpan(`send ${this.#queueName}`, options, (span) => {
      const traceparent = traceparentOf(span.spanContext())
      return work(events.map((event) => ({ ...event, traceparent })))
    })
  }

  process<Outcome extends { outcome: string }>(
    { id, body, receiveCount }: ReceivedMessage,
    event: AssetEvent,
    work: () => Promise<Outcome>
  ): Promise<Outcome> {
    const attributes = {
      ...this.#messaging('process'),
      'messaging.message.id': id,
      'messaging.message.body.size': Buffer.byteLength(body),
      'cloudinary.receive_count': receiveCount,
      ...describeEvent(event)
    }
    return this.#inSpan(
      `process ${this.#queueName}`,
      { kind: SpanKind.CONSUMER, attributes },
      async (span) => {
        const result = await work()
        span.setAttribute('cloudinary.outcome', result.outcome)
        if (FAILED_OUTCOMES.includes(result.outcome)) fail(span, result.outcome)
        return result
      },
      contextBelow(event.traceparent)
    )
  }

  processor<Run extends { outcome: 'succeeded' } | { outcome: 'failed'; error: unknown }>(
    name: string,
    work: () => Promise<Run>
  ): Promise<Run> {
    const attributes = { 'cloudinary.processor': name }
    return this.#inSpan(`processor ${name}`, { kind: SpanKind.INTERNAL, attributes }, async (span) => {
      const run = await work()
      if (run.outcome === 'failed') failWith(span, run.error)
      return run
    })
  }

  cloudinary<Result>(call: CloudinaryCall, work: () => Promise<Result>): Promise<Result> {
    if (!this.#isTraced) return work()
    const { name, cloudName, apiUrl } = call
    const attributes = {
      'server.address': new URL(apiUrl).hostname,
      'cloudinary.call': name,
      'cloudinary.cloud': cloudName
    }
    return this.#inSpan(`cloudinary ${name}`, { kind: SpanKind.CLIENT, attributes }, work)
  }

  dynamoDb<Result>(operation: string, table: string, work: () => Promise<Result>): Promise<Result> {
    if (!this.#isTraced) return work()
    const attributes = {
      'db.system.name': 'aws.dynamodb',
      'db.operation.name': operation,
      'db.collection.name': table
    }
    return this.#inSpan(`${operation} ${table}`, { kind: SpanKind.CLIENT, attributes }, work)
  }

  get #isTraced(): boolean {
    return trace.getSpan(this.#options.contexts.active()) !== undefined
  }

  #messaging(operation: 'send' | 'process'): Attributes {
    const { queueUrl } = this.#options
    return {
      'messaging.system': 'aws_sqs',
      'messaging.operation.name': operation,
      'messaging.operation.type': operation,
      'messaging.destination.name': this.#queueName,
      ...(queueUrl && { 'aws.sqs.queue.url': queueUrl })
    }
  }

  #startReceive(arrival: Arrival, cloudName: string, start: TraceStart): Span {
    const { name, kind, attributes } = describeArrival(arrival)
    return this.#start(
      name,
      { kind, startTime: arrival.startedAt, attributes: { ...attributes, 'cloudinary.cloud': cloudName } },
      start
    )
  }

  #start(name: string, options: SpanOptions, { context, traceId }: TraceStart): Span {
    const { tracer, ids } = this.#options
    ids.next = traceId
    const span = tracer.startSpan(name, options, context)
    ids.next = undefined
    return span
  }

  #inSpan<Result>(
    name: string,
    options: SpanOptions,
    work: (span: Span) => Promise<Result>,
    parent: Context = this.#options.contexts.active()
  ): Promise<Result> {
    const span = this.#start(name, options, { context: parent })
    return this.#options.contexts
      .with(trace.setSpan(parent, span), async () => work(span))
      .catch((error: unknown) => {
        failWith(span, error)
        throw error
      })
      .finally(() => span.end())
  }
}
