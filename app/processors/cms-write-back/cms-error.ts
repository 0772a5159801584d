import { ListenerError, PermanentError } from '../../errors.ts'
import { maskSecrets } from '../../mask.ts'
import { singleLine } from '../single-line.ts'

/** A failed call of a CMS, without the request: the errors of the clients hold it. */
export interface CmsFailure {
  /** Name of the call, such as `Contentful: update entry`. */
  call: string
  /** Undefined without a response. */
  status: number | undefined
  /** The CMS's message or code. */
  reason: string
  /** Texts to mask in the error. */
  secrets: readonly string[]
}

/** Maximum length of the CMS's reason in an error, in characters. */
const MAX_REASON = 300

/**
 * Maps a failed call to an error that says what to do.
 *
 * - CMS_UNAVAILABLE: no response, 408, 425, 429, 5xx; retried
 * - CMS_CONFLICT: 409, somebody else changed the entry; retried
 * - CMS_UNAUTHORIZED: 401, 403; retried, since a token can be replaced
 * - CMS_NOT_FOUND: 404; not retried
 * - CMS_REJECTED: any other; not retried
 */
export function cmsError({ call, status, reason, secrets }: CmsFailure): ListenerError {
  let text = reason
  for (const secret of secrets) text = text.replaceAll(secret, '[secret]')
  const cleaned = singleLine(maskSecrets(text)).slice(0, MAX_REASON).toWellFormed()
  const message = `${call}: ${status === undefined ? '' : `${status} `}${cleaned}`
  switch (status) {
    case 401:
    case 403:
      return new ListenerError('CMS_UNAUTHORIZED', `${message} (check the token and its permissions)`)
    case 404:
      return new PermanentError(message, { code: 'CMS_NOT_FOUND' })
    case 409:
      return new ListenerError('CMS_CONFLICT', message)
    default:
      return status === undefined || [408, 425, 429].includes(status) || status >= 500
        ? new ListenerError('CMS_UNAVAILABLE', message)
        : new PermanentError(message, { code: 'CMS_REJECTED' })
  }
}

/** Returns the result of a call; undefined if it fails with one of these codes. */
export async function unless<Result>(
  codes: readonly string[],
  call: () => Promise<Result>
): Promise<Result | undefined> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof ListenerError && codes.includes(error.code)) return undefined
    throw error
  }
}
