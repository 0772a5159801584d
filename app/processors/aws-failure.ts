import { ListenerError, PermanentError } from '../errors.ts'

/** Maximum length of the service's message in an error, in characters. */
const MAX_EXCERPT = 300

/** Names of errors that only a permission or valid credentials fix. */
const UNAUTHORIZED =
  /AccessDenied|Forbidden|NotAuthorized|Credential|Token|Signature|UnrecognizedClient|InvalidAccessKeyId/

export interface AwsFailureOptions {
  /** Name of the service for the message, such as `S3`. */
  service: string
  /** Beginning of the code: `ARCHIVE` gives ARCHIVE_UNAVAILABLE, ARCHIVE_UNAUTHORIZED and ARCHIVE_REJECTED. */
  code: string
  /** Names of errors that a retry does not fix. */
  permanent: RegExp
  /** What to allow when access is denied, such as `s3:PutObject`. */
  permission: string
}

/**
 * Returns the error to throw for a failed call of AWS: a `PermanentError` …_REJECTED, or …_UNAVAILABLE or
 * …_UNAUTHORIZED to retry, since a permission can be granted. Contains no request: its signature may be a secret.
 */
export function awsFailure(error: unknown, options: AwsFailureOptions): ListenerError {
  const { service, code, permanent, permission } = options
  const { name, message = '', $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
  // later lines may contain the signed request
  const [line = ''] = message.split('\n', 1)
  const text = `${service}: ${name}: ${line.slice(0, MAX_EXCERPT)}`
  if (permanent.test(name)) return new PermanentError(text, { code: `${code}_REJECTED` })
  const isUnauthorized = UNAUTHORIZED.test(name) || [401, 403].includes($metadata?.httpStatusCode ?? 0)
  return isUnauthorized
    ? new ListenerError(`${code}_UNAUTHORIZED`, `${text}; allow ${permission}`)
    : new ListenerError(`${code}_UNAVAILABLE`, text)
}
