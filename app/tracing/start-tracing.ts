import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes
} from '@opentelemetry/resources'
import { BatchSpanProcessor, RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Logger } from '../logger.ts'
import { OtelTracing } from './otel-tracing.ts'
import { ReportingExporter } from './reporting-exporter.ts'
import { createSampler } from './sampler.ts'
import type { ProcessTracing, TracingConfig } from './tracing.ts'

/** Maximum number of spans that wait for the collector. They take about 2 MB; further spans are dropped. */
const MAX_WAITING_SPANS = 2048

const SPANS_PER_EXPORT = 512

/**
 * Maximum number of exports in flight: at a stop, one for each batch that waits, and the one already in
 * flight.
 */
const MAX_EXPORTS = MAX_WAITING_SPANS / SPANS_PER_EXPORT + 1

/** Timeout of an export with its retries, in milliseconds. */
const EXPORT_MS = 5000

/** Maximum time to send the remaining spans when the process stops, in milliseconds. */
const STOP_MS = 3000

/** Maximum length of an attribute, in characters. */
const MAX_ATTRIBUTE_LENGTH = 1024

/** Gives a trace the id that is set for it, otherwise a random one. */
export class TraceIds extends RandomIdGenerator {
  /** Id of the next trace. */
  next: string | undefined

  override generateTraceId(): string {
    return this.next ?? super.generateTraceId()
  }
}

/**
 * Starts the tracing of a process. Spans are sent in the background; while the collector does not answer, new
 * spans are dropped, and nothing else is affected.
 *
 * The exporter reads further variables of OpenTelemetry itself: `OTEL_EXPORTER_OTLP_HEADERS`,
 * `…_COMPRESSION`, `…_CERTIFICATE`; the resource reads `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.
 */
export function startTracing(
  role: string,
  url: string,
  config: TracingConfig,
  log: Logger,
  stopMs = STOP_MS
): ProcessTracing {
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_MS, concurrencyLimit: MAX_EXPORTS })
  const ids = new TraceIds()
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        'service.name': `cloudinary-listener-${role}`,
        'service.namespace': 'cloudinary-listener',
        'service.instance.id': randomUUID()
      })
    )
    .merge(detectResources({ detectors: [envDetector] }))
  const provider = new TracerProvider({
    resource,
    idGenerator: ids,
    sampler: createSampler(config),
    spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_LENGTH },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new ReportingExporter(exporter, log),
        maxQueueSize: MAX_WAITING_SPANS,
        maxExportBatchSize: SPANS_PER_EXPORT,
        // the exporter has its own timeout, and so reports what it lost
        exportTimeoutMillis: 2 * EXPORT_MS
      })
    ]
  })
  const contexts = new AsyncLocalStorageContextManager().enable()
  // a processor may add spans with `@opentelemetry/api`
  const isGlobal = trace.setGlobalTracerProvider(provider)
  const hasGlobalContext = context.setGlobalContextManager(contexts)
  const tracing = new OtelTracing({
    tracer: provider.getTracer('cloudinary-listener'),
    contexts,
    ids,
    queueUrl: config.QUEUE_URL
  })
  return Object.assign(tracing, {
    async stop(): Promise<void> {
      if (isGlobal) trace.disable()
      if (hasGlobalContext) context.disable()
      const timeUp = new AbortController()
      const time = pause(stopMs, undefined, { signal: timeUp.signal })
      // failures have been reported already
      await Promise.race([provider.shutdown(), time]).catch(() => {})
      timeUp.abort()
      await time.catch(() => {})
    }
  })
}
