import { ListenerError } from '../errors.ts'
import { maskSecrets } from '../mask.ts'

/** Whether a failed call may be retried, and from when. The event did not cause a rate limit. */
export type CallFailure =
  | { kind: 'retryable'; until?: Date }
  | { kind: 'rate-limited'; until: Date }
  | { kind: 'permanent' }

/** A failed call to Cloudinary, free of secrets. */
export class CloudinaryError extends ListenerError {
  readonly failure: CallFailure
  /** HTTP status of Cloudinary's response; undefined without a response. */
  readonly status: number | undefined

  constructor(code: string, message: string, failure: CallFailure, status?: number) {
    super(code, message)
    this.name = 'CloudinaryError'
    this.failure = failure
    this.status = status
  }
}

export const isNotFound = (error: unknown): boolean =>
  error instanceof CloudinaryError && error.code === 'CLOUDINARY_NOT_FOUND'

/** Delay if Cloudinary does not say when its rate limit ends, in milliseconds. */
const DEFAULT_LIMIT_MS = 60_000

interface SdkError {
  message?: unknown
  http_code?: unknown
  code?: unknown
}

/**
 * Maps a rejection of the Cloudinary SDK to an error that says what to do. Keeps only status and message,
 * since the original may hold `request_options.auth = "key:secret"`. The rejection has the form `{error:
 * {message, http_code}}` (Admin API and network errors) or `{message, http_code}` (Upload API), or is a plain
 * socket error.
 *
 * @param call name of the call, for the message
 * @param secrets texts to remove from the message
 */
export function toCloudinaryError(
  rejection: unknown,
  { call, secrets, clock }: { call: string; secrets: readonly string[]; clock: () => number }
): CloudinaryError {
  const error = innermost(rejection)
  const status = typeof error.http_code === 'number' ? error.http_code : undefined
  // Node's error has no message when every address of a host refuses the connection
  const reason = [error.message, error.code].find((text) => typeof text === 'string' && text !== '')
  const cleaned = clean(String(reason ?? 'no reason given'), secrets)
  const message = `${call}: ${status === undefined ? '' : `${status} `}${cleaned}`
  switch (status) {
    case undefined:
    case 499: // the SDK's code for its timeout
      return new CloudinaryError('CLOUDINARY_UNREACHABLE', message, { kind: 'retryable' })
    case 401:
    case 403:
      return new CloudinaryError(
        'CLOUDINARY_UNAUTHORIZED',
        `${call}: ${status} Cloudinary rejects the API key or its permissions; check the secret`,
        { kind: 'retryable' },
        status
      )
    case 404:
      return new CloudinaryError('CLOUDINARY_NOT_FOUND', message, { kind: 'permanent' }, status)
    case 420:
    case 429: {
      const until = limitedUntil(cleaned) ?? new Date(clock() + DEFAULT_LIMIT_MS)
      return new CloudinaryError('CLOUDINARY_RATE_LIMITED', message, { kind: 'rate-limited', until }, status)
    }
    case 408:
    case 423: // the asset is still being processed
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

/** Cloudinary's error messages quote signatures, URLs and other parts of the request. */
function clean(message: string, secrets: readonly string[]): string {
  let text = message
  for (const secret of secrets) text = text.replaceAll(secret, '[secret]')
  return maskSecrets(text)
    .replace(/[0-9a-f]{40,}/gi, '[signature]')
    .slice(0, 500)
}

/**
 * Reads the end of a rate limit from the message, "Try again on 2024-10-04 14:00:00 UTC": the SDK drops
 * headers.
 */
function limitedUntil(message: string): Date | undefined {
  const match = /Try again on (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/.exec(message)
  const until = new Date(`${match?.[1]}T${match?.[2]}Z`)
  return Number.isNaN(until.getTime()) ? undefined : until
}
