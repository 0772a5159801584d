import { ListenerError, PermanentError, RetryLaterError } from '../../errors.ts'

/** How a processor names the failures of its calls. */
export interface FailureNames {
  /** Beginning of the error codes: `FORWARD` gives FORWARD_UNAVAILABLE and FORWARD_REJECTED. */
  code: string
  /** Returns what to do about a status, for the error. */
  remedyFor?: (status: number) => string | undefined
  /** Returns whether to retry after a status. (Default: {@link isTemporary}) */
  isTemporary?: (status: number) => boolean
}

/** A response that is not a success. */
export interface RefusedCall {
  /** Name of the system that responded. Must not be a secret. */
  from: string
  status: number
  /** Part of the response, without secrets. */
  excerpt?: string
  /** The header `Retry-After`. */
  retryAfter?: string | null | undefined
  /** Milliseconds since the epoch. */
  now: number
}

/** Upper bound of a `Retry-After` delay, in seconds. */
const MAX_DELAY_SECONDS = 86_400

/** Returns whether the same request may succeed later: 408, 425, 429 and 5xx. */
export const isTemporary = (status: number): boolean => [408, 425, 429].includes(status) || status >= 500

/**
 * Returns the error to throw for a response of another system, from a client library too: a `PermanentError`
 * …_REJECTED, or …_UNAVAILABLE to retry, after `Retry-After` if the response has it.
 */
export function httpFailure(
  { from, status, excerpt, retryAfter, now }: RefusedCall,
  { code, remedyFor, isTemporary: isRetried = isTemporary }: FailureNames
): ListenerError {
  const remedy = remedyFor?.(status) ?? remedyForRedirect(status)
  const answer = [`${from} answered ${status}`, excerpt].filter(Boolean).join(': ')
  const message = remedy ? `${answer} (${remedy})` : answer
  if (!isRetried(status)) return new PermanentError(message, { code: `${code}_REJECTED` })
  const until = retryAfterTime(retryAfter, now)
  const options = { code: `${code}_UNAVAILABLE` }
  return until ? new RetryLaterError(message, until, options) : new ListenerError(options.code, message)
}

/**
 * Reads a `Retry-After` of seconds or an HTTP date; undefined for anything else, and for a time in the past.
 * Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 *
 * @param now milliseconds since the epoch
 */
export function retryAfterTime(value: string | null | undefined, now: number): Date | undefined {
  if (value === null || value === undefined) return undefined
  const isSeconds = /^\d+$/.test(value)
  const until = isSeconds
    ? now + Math.min(Number(value), MAX_DELAY_SECONDS) * 1000
    : Math.min(/^[A-Z][a-z]{2}/.test(value) ? Date.parse(value) : Number.NaN, now + MAX_DELAY_SECONDS * 1000)
  return until > now ? new Date(until) : undefined
}

const remedyForRedirect = (status: number): string | undefined =>
  status >= 300 && status < 400 ? 'redirects are not followed: use the address it redirects to' : undefined
