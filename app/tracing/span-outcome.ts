import { type Span, SpanStatusCode } from '@opentelemetry/api'
import { serializeError } from '../logger.ts'
import type { ReceiveOutcome } from './tracing.ts'

/** Maximum length of the message of a failed span, in characters. */
const MAX_MESSAGE_LENGTH = 500

/** Ends the span of a received notification. */
export function endReceive(
  span: Span,
  { outcome, code, reason, summary }: ReceiveOutcome,
  httpStatus?: number
): void {
  span.setAttributes({
    'cloudinary.outcome': outcome,
    ...(summary?.type && { 'cloudinary.event.type': summary.type }),
    ...(summary && { 'cloudinary.event.ids': [...summary.ids] }),
    ...(httpStatus !== undefined && { 'http.response.status_code': httpStatus })
  })
  if (code) {
    span.setAttribute('error.type', code)
    // a refusal is the sender's error
    if (outcome === 'unavailable')
      span.setStatus({ code: SpanStatusCode.ERROR, ...(reason && { message: reason }) })
  }
  span.end()
}

/** Marks a span as failed. */
export function fail(span: Span, errorType: string, message?: string): void {
  span.setAttribute('error.type', errorType)
  span.setStatus({
    code: SpanStatusCode.ERROR,
    ...(message && { message: message.slice(0, MAX_MESSAGE_LENGTH) })
  })
}

/** Records an error by its code and its message, with secrets masked. */
export function failWith(span: Span, error: unknown): void {
  const { code, type, message } = serializeError(error)
  const { status } = (error ?? {}) as { status?: unknown }
  if (typeof status === 'number') span.setAttribute('http.response.status_code', status)
  // a condition that is not met is a normal answer of the journal
  if (type === 'ConditionalCheckFailedException') span.setAttribute('db.response.status_code', type)
  else fail(span, code ?? type, message)
}
