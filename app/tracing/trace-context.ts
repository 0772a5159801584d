import type { IncomingHttpHeaders } from 'node:http'
import {
  type Context,
  isSpanContextValid,
  isValidTraceId,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace
} from '@opentelemetry/api'
import { AWSXRayPropagator } from '@opentelemetry/propagator-aws-xray'

/** Where a trace begins here: below a span of the sender, or with the id that the load balancer gave it. */
export interface TraceStart {
  context: Context
  /** Id of the trace if the context has no span. */
  traceId?: string
}

/**
 * The value of the header `traceparent`.
 * Source: https://www.w3.org/TR/trace-context/#traceparent-header-field-values
 */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/

/**
 * The trace id in the header `X-Amzn-Trace-Id`.
 * Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
 */
const XRAY_ROOT = /(?:^|;) *Root=1-([0-9a-f]{8})-([0-9a-f]{24}) *(?:;|$)/

const xray = new AWSXRayPropagator()

const TEXT = {
  keys: (carrier: object) => Object.keys(carrier),
  get: (carrier: Record<string, string | undefined>, name: string) => carrier[name]
}

/** Reads a value of the header `traceparent`. Returns undefined if the value is invalid. */
export function parseTraceparent(value: string | undefined): SpanContext | undefined {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(value ?? '') ?? []
  const context = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true
  }
  return isSpanContextValid(context) ? context : undefined
}

/** Writes a value of the header `traceparent`, 55 characters. */
export function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`
}

/** Returns a context below the span that a `traceparent` names. */
export function contextBelow(traceparent: string | undefined): Context {
  const span = parseTraceparent(traceparent)
  return span ? trace.setSpanContext(ROOT_CONTEXT, span) : ROOT_CONTEXT
}

/**
 * Returns where the trace of a request starts: below the span in `traceparent`, else the one in
 * `X-Amzn-Trace-Id`. A load balancer alone names only a root there, which becomes the id of the trace.
 */
export function traceStartOf(headers: IncomingHttpHeaders): TraceStart {
  const { traceparent, 'x-amzn-trace-id': amazon } = headers
  const context = contextBelow(textOf(traceparent))
  if (trace.getSpanContext(context)) return { context }
  const given = textOf(amazon)
  const belowAmazon = xray.extract(ROOT_CONTEXT, { 'x-amzn-trace-id': given }, TEXT)
  if (trace.getSpanContext(belowAmazon)) return { context: belowAmazon }
  const [, time = '', random = ''] = XRAY_ROOT.exec(given ?? '') ?? []
  const traceId = `${time}${random}`
  return { context: ROOT_CONTEXT, ...(isValidTraceId(traceId) && { traceId }) }
}

/** Returns the value of a header; undefined if the header is missing or repeated. */
const textOf = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined
