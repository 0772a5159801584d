import { ListenerError } from '../errors.ts'
import { maskSecrets } from '../mask.ts'

/** What to do about a failed call: try again, not before `until`, or never. A rate limit is not the event's fault. */
export type Fault =
  | { kind: 'retryable'; until?: Date }
  | { kind: 'rate-limited'; until: Date }
  | { kind: 'permanent' }

/** A failed call to Cloudinary, free of secrets. */
export class CloudinaryError extends ListenerError {
  readonly fault: Fault
  /** HTTP status of Cloudinary's answer; undefined when there was none. */
  readonly status: number | undefined

  constructor(code: string, message: string, fault: Fault, status?: number) {
    super(code, message)
    this.name = 'CloudinaryError'
    this.fault = fault
    this.status = status
  }
}

export const isNotFound = (error: unknown): boolean =>
  error instanceof CloudinaryError && error.code === 'CLOUDINARY_NOT_FOUND'

/** When Cloudinary does not say until when it limits calls: its counters run by the hour, so not for long. */
const DEFAULT_LIMIT_MS = 60_000

interface SdkError {
  message?: unknown
  http_code?: unknown
  code?: unknown
}

/**
 * Maps what the Cloudinary SDK rejects with to an error that says what to do. Nothing of the original is kept
 * but status and message: it may hold `request_options.auth = "key:secret"`. Its shapes: `{error: {message,
 * http_code}}` of the Admin API and of network faults, `{message, http_code}` of the Upload API, and plain
 * errors of the socket.
 *
 * @param call what was called, for the message
 * @param secrets what must not appear in the message, whatever Cloudinary wrote
 */
export function toCloudinaryError(
  rejection: unknown,
  { call, secrets, clock }: { call: string; secrets: readonly string[]; clock: () => number }
): CloudinaryError {
  const error = innermost(rejection)
  const status = typeof error.http_code === 'number' ? error.http_code : undefined
  // Node's error has an empty message when every address of a host refuses
  const reason = [error.message, error.code].find((text) => typeof text === 'string' && text !== '')
  const said = clean(String(reason ?? 'no reason given'), secrets)
  const message = `${call}: ${status === undefined ? '' : `${status} `}${said}`
  switch (status) {
    case undefined:
    case 499: // the SDK's own number for its time-out
      return new CloudinaryError('CLOUDINARY_UNREACHABLE', message, { kind: 'retryable' })
    case 401:
    case 403:
      return new CloudinaryError(
        'CLOUDINARY_UNAUTHORIZED',
        `${call}: ${status} Cloudinary refuses the API key or its permissions; check the secret`,
        { kind: 'retryable' },
        status
      )
    case 404:
      return new CloudinaryError('CLOUDINARY_NOT_FOUND', message, { kind: 'permanent' }, status)
    case 420:
    case 429: {
      const until = limitedUntil(said) ?? new Date(clock() + DEFAULT_LIMIT_MS)
      return new CloudinaryError('CLOUDINARY_RATE_LIMITED', message, { kind: 'rate-limited', until }, status)
    }
    case 408:
    case 423: // still being processed
    case 425:
      return new CloudinaryError('CLOUDINARY_UNAVAILABLE', message, { kind: 'retryable' }, status)
    default:
      return status >= 400 && status < 500
        ? new CloudinaryError('CLOUDINARY_REJECTED', message, { kind: 'permanent' }, status)
        : new CloudinaryError('CLOUDINARY_UNAVAILABLE', message, { kind: 'retryable' }, status)
  }
}

function innermost(rejection: unknown): SdkError {
  const outer = rejection as (SdkError & { error?: SdkError }) | null
  return outer?.error ?? outer ?? {}
}

/** Cloudinary's refusals quote signatures and URLs, and could quote anything that was sent. */
function clean(message: string, secrets: readonly string[]): string {
  let text = message
  for (const secret of secrets) text = text.replaceAll(secret, '[secret]')
  return maskSecrets(text)
    .replace(/[0-9a-f]{40,}/gi, '[signature]')
    .slice(0, 500)
}

/** The SDK passes on no headers; the message ends "Try again on 2024-10-04 14:00:00 UTC". */
function limitedUntil(message: string): Date | undefined {
  const match = /Try again on (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/.exec(message)
  const until = new Date(`${match?.[1]}T${match?.[2]}Z`)
  return Number.isNaN(until.getTime()) ? undefined : until
}
