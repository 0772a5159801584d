import type { FastifyBaseLogger } from 'fastify'
import { ListenerError } from '../errors.ts'

/** Error for a refused request. */
export class RequestError extends ListenerError {
  readonly statusCode: number
  /** Seconds after which the client may try again. */
  readonly retryAfter: number | undefined

  constructor(statusCode: number, code: string, message: string, retryAfter?: number) {
    super(code, message)
    this.name = 'RequestError'
    this.statusCode = statusCode
    this.retryAfter = retryAfter
  }
}

export const repairUnknown = (): RequestError =>
  new RequestError(404, 'REPLAY_UNKNOWN', 'the journal does not know this replay or discard')

/** The response to a client after an error. */
export interface ErrorResponse {
  status: number
  code: string
  message: string
  /** Seconds. */
  retryAfter?: number
}

/** Responses to errors of modules that do not depend on HTTP, by code. */
const RESPONSES: Readonly<Record<string, { status: number; message?: string; retryAfter?: number }>> = {
  JOURNAL_UNAVAILABLE: { status: 503, message: 'the journal does not answer; try again', retryAfter: 5 },
  OVERLOADED: { status: 503, retryAfter: 2 },
  REPLAY_TOO_LARGE: { status: 400 },
  REPLAYS_BUSY: { status: 409 }
}

/** Returns the response to an error. It does not reveal the message of an unexpected error. */
export function errorResponseTo(error: unknown): ErrorResponse {
  const { statusCode, code, message, retryAfter } = error as Error & Partial<RequestError>
  if (code !== undefined && Object.hasOwn(RESPONSES, code)) {
    const { status, ...response } = RESPONSES[code]!
    return { status, code, message, ...response }
  }
  // Fastify sets a status code on its own errors
  if (statusCode !== undefined && statusCode >= 400 && (statusCode < 500 || error instanceof ListenerError)) {
    const status = statusCode
    return { status, code: code ?? 'BAD_REQUEST', message, ...(retryAfter && { retryAfter }) }
  }
  return { status: 500, code: 'INTERNAL', message: 'unexpected error; the log of the activity role has it' }
}

/** Logs an error that the client did not cause: a defect, or a part that does not answer. */
export function logErrorResponse(
  log: FastifyBaseLogger,
  err: unknown,
  { status, code }: ErrorResponse
): void {
  if (status === 503) log.warn({ err, code }, 'request not served')
  else if (status >= 500) log.error({ err, code }, 'request failed')
}
