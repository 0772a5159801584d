import { ListenerError, PermanentError, RetryLaterError } from '../../errors.ts'
import { singleLine } from '../single-line.ts'

export interface Request {
  url: URL
  headers: Record<string, string>
  body: string
  timeoutSeconds: number
  /** Masked in errors, since a receiver may quote the request. */
  secrets: readonly string[]
  signal: AbortSignal
  /** Milliseconds since the epoch. */
  clock: () => number
}

/**
 * Maximum bytes of a response that are read. The connection is closed if there are more, and reused
 * otherwise.
 */
const MAX_READ_BYTES = 16_384

/** Maximum length of the response excerpt in an error, in characters. */
const MAX_EXCERPT = 300

/** Upper bound of a `Retry-After` delay, in seconds. */
const MAX_DELAY_SECONDS = 86_400

/**
 * Posts a body and returns the status of the response, from 200 to 299. Does not follow redirects.
 *
 * @throws {ListenerError} FORWARD_UNAVAILABLE for no response, 408, 425, 429 or 5xx
 * @throws {RetryLaterError} FORWARD_UNAVAILABLE if such a response has `Retry-After`
 * @throws {PermanentError} FORWARD_REJECTED for any other answer
 */
export async function post(request: Request): Promise<number> {
  const { url, headers, body, timeoutSeconds, signal } = request
  const { origin } = url
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000)
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout])
    })
  } catch (error) {
    signal.throwIfAborted()
    const why = timeout.aborted ? `no response within ${timeoutSeconds} s` : reasonOf(error)
    throw new ListenerError('FORWARD_UNAVAILABLE', `cannot reach ${origin}: ${excerptOf(why, request)}`)
  }
  const text = await readText(response)
  if (response.ok) return response.status
  throw refusal(response, excerptOf(text, request), request)
}

function refusal({ status, headers }: Response, excerpt: string, { url, clock }: Request): ListenerError {
  const message = [`${url.origin} answered ${status}`, excerpt].filter(Boolean).join(': ')
  const isTemporary = [408, 425, 429].includes(status) || status >= 500
  if (!isTemporary) {
    return new PermanentError(`${message}${remedyFor(status)}`, { code: 'FORWARD_REJECTED' })
  }
  const code = 'FORWARD_UNAVAILABLE'
  const until = retryAfter(headers.get('retry-after'), clock())
  return until ? new RetryLaterError(message, until, { code }) : new ListenerError(code, message)
}

function remedyFor(status: number): string {
  if (status < 400) return ' (redirects are not followed: set `url` to the address it redirects to)'
  if (status === 401 || status === 403) return ' (check that it verifies with the same FORWARD_SECRET)'
  if (status === 410)
    return ' (it does not accept webhooks any more: remove `forward` from the configuration)'
  return ''
}

/**
 * Reads seconds or an HTTP date; undefined for anything else, and for a time in the past.
 * Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
function retryAfter(value: string | null, now: number): Date | undefined {
  if (value === null) return undefined
  const isSeconds = /^\d+$/.test(value)
  const until = isSeconds
    ? now + Math.min(Number(value), MAX_DELAY_SECONDS) * 1000
    : Math.min(/^[A-Z][a-z]{2}/.test(value) ? Date.parse(value) : Number.NaN, now + MAX_DELAY_SECONDS * 1000)
  return until > now ? new Date(until) : undefined
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

/** `fetch` throws "fetch failed"; the reason is in its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { message?: string; code?: string } }
  // the message is empty if every address of a host refuses the connection
  return cause?.message || cause?.code || message
}

/** Masks secrets: a receiver may quote the request. */
function excerptOf(text: string, { secrets }: Request): string {
  let masked = text
  for (const secret of secrets) masked = masked.replaceAll(secret, '[secret]')
  return singleLine(masked.replace(/v1,[\w+/]{40,}=*/g, '[signature]'))
    .slice(0, MAX_EXCERPT)
    .toWellFormed()
}
