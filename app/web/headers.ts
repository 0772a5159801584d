import type { IncomingHttpHeaders } from 'node:http'
import type { SignatureHeaders } from '../ingest/signature.ts'

/** Maximum length of a trace id, which any sender can set, in characters. */
const MAX_TRACE_ID_LENGTH = 256

/** Returns the value of a header; undefined if it is missing or repeated. */
export function headerValue(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

/** Returns the headers with which Cloudinary signs a notification. */
export function signatureHeaders(headers: IncomingHttpHeaders): SignatureHeaders {
  return {
    signature: headerValue(headers, 'x-cld-signature'),
    timestamp: headerValue(headers, 'x-cld-timestamp'),
    signatureV2: headerValue(headers, 'x-cld-signature_v2')
  }
}

/**
 * Returns the trace id that the load balancer has given the request.
 * Source:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-request-tracing.html
 */
export function traceIdOf(headers: IncomingHttpHeaders): string | undefined {
  return headerValue(headers, 'x-amzn-trace-id')?.slice(0, MAX_TRACE_ID_LENGTH)
}
