import { ListenerError } from '../../errors.ts'
import { type FailureNames, httpFailure } from './http-failure.ts'
import { maskedExcerpt } from './http-secrets.ts'

/** A request of a processor to another system. */
export interface HttpCall extends FailureNames {
  url: URL
  /** Where the URL is set, for errors: the name of a variable, or `` `url` ``. */
  setting: string
  /** Name of the other system in errors. (Default: the origin of the URL) */
  target?: string
  /** HTTP method. (Default: POST) */
  method?: string
  headers?: Record<string, string>
  body?: string
  /** Maximum time for the status of the response. */
  timeoutSeconds: number
  /** Texts to mask in errors, since a receiver may quote the request. See {@link secretsIn}. */
  secrets: readonly string[]
  signal: AbortSignal
  /** Milliseconds since the epoch. */
  clock: () => number
  /** Returns true for a response that is not a success but must be returned, not thrown. (Default: none) */
  returns?: (status: number, text: string) => boolean
}

export interface HttpResponse {
  /** Status from 200 to 299, unless the caller asked for others. */
  status: number
  headers: Headers
  /** The first {@link MAX_READ_BYTES} of the body. */
  text: string
}

/**
 * Maximum bytes of a response that are read. The connection is closed if there are more, and reused
 * otherwise.
 */
export const MAX_READ_BYTES = 16_384

/**
 * Sends a request and returns the response, if its status is from 200 to 299. Does not follow redirects.
 * Errors name only the origin of the URL, or `target`, since the path may be a secret.
 *
 * @throws {ListenerError} …_UNAVAILABLE for no response, 408, 425, 429 or 5xx
 * @throws {RetryLaterError} …_UNAVAILABLE if such a response has `Retry-After`
 * @throws {PermanentError} …_REJECTED for any other response
 */
export async function callHttp(call: HttpCall): Promise<HttpResponse> {
  const { url, method = 'POST', headers = {}, body, timeoutSeconds, signal, clock, secrets } = call
  const { target = url.origin, returns = () => false } = call
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000)
  let response: Response
  try {
    response = await fetch(url, {
      method,
      headers,
      ...(body !== undefined && { body }),
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout])
    })
  } catch (error) {
    signal.throwIfAborted()
    const why = timeout.aborted ? `no response within ${timeoutSeconds} s` : reasonOf(error)
    throw new ListenerError(
      `${call.code}_UNAVAILABLE`,
      `cannot reach ${target} (${call.setting}): ${maskedExcerpt(why, secrets)}`
    )
  }
  const text = await readText(response)
  const { status } = response
  if (response.ok || returns(status, text)) return { status, headers: response.headers, text }
  const excerpt = maskedExcerpt(text, secrets)
  throw httpFailure(
    { from: target, status, excerpt, retryAfter: response.headers.get('retry-after'), now: clock() },
    call
  )
}

/** Reads the beginning of a response. Never throws: the status decides. */
async function readText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of body ?? []) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= MAX_READ_BYTES) break
    }
  } catch {
    // the connection broke: use the part that arrived
  }
  return Buffer.concat(chunks).toString()
}

/**
 * `fetch` throws "fetch failed"; the reason is in its cause. Returns the error code of the system or of TLS,
 * such as ECONNREFUSED: the message repeats the address. The codes of the HTTP client say less than their
 * messages.
 */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { message?: string; code?: string } }
  const code = /^(?:UND|HPE)_/.test(cause?.code ?? '') ? undefined : cause?.code
  return code || cause?.message || message
}
