import type { IncomingHttpHeaders } from 'node:http'

/** Anybody can send one, and it is in every line; in characters. */
const LONGEST_TRACE_ID = 256

/** The header's value; undefined where it is missing or repeated. */
export function single(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

/**
 * What a load balancer calls the request, for a log line to be found by.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
 */
export function traceIdOf(headers: IncomingHttpHeaders): string | undefined {
  return single(headers, 'x-amzn-trace-id')?.slice(0, LONGEST_TRACE_ID)
}
