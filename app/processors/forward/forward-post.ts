import { ListenerError, PermanentError, RetryLaterError } from '../../errors.ts'

export interface Request {
  url: URL
  headers: Record<string, string>
  body: string
  timeoutSeconds: number
  /** What must not appear in an error, whatever the receiver answers. */
  secrets: readonly string[]
  signal: AbortSignal
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** Of an answer so many bytes are read: enough to keep the connection, which is closed when there is more. */
const READ_BYTES = 16_384

/** Of an answer so many characters are told. */
const TOLD_CHARACTERS = 300

/** `Retry-After` is heeded for a day at most, in seconds. */
const LONGEST_WAIT_SECONDS = 86_400

/**
 * Posts, and gives the status of the answer: from 200 to 299. Redirects are not followed.
 *
 * @throws {ListenerError} FORWARD_UNAVAILABLE where another try may succeed: no answer, 408, 425, 429, 5xx
 * @throws {RetryLaterError} FORWARD_UNAVAILABLE where the receiver says when, by `Retry-After`
 * @throws {PermanentError} FORWARD_REJECTED for any other answer
 */
export async function post(request: Request): Promise<number> {
  const { url, headers, body, timeoutSeconds, signal } = request
  const { origin } = url
  const timeUp = AbortSignal.timeout(timeoutSeconds * 1000)
  let response: Response
  try {
    response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeUp])
    })
  } catch (error) {
    signal.throwIfAborted()
    const why = timeUp.aborted ? `no answer within ${timeoutSeconds} s` : reasonOf(error)
    throw new ListenerError('FORWARD_UNAVAILABLE', `${origin} cannot be reached: ${clean(why, request)}`)
  }
  const said = await readSome(response)
  if (response.ok) return response.status
  throw refusal(response, clean(said, request), request)
}

function refusal({ status, headers }: Response, said: string, { url, clock }: Request): ListenerError {
  const message = [`${url.origin} answered ${status}`, said].filter(Boolean).join(': ')
  const isPassing = [408, 425, 429].includes(status) || status >= 500
  if (!isPassing) {
    return new PermanentError(`${message}${remedyFor(status)}`, { code: 'FORWARD_REJECTED' })
  }
  const code = 'FORWARD_UNAVAILABLE'
  const until = retryAfter(headers.get('retry-after'), clock())
  return until ? new RetryLaterError(message, until, { code }) : new ListenerError(code, message)
}

function remedyFor(status: number): string {
  if (status < 400) return ' (redirects are not followed: `url` must be the address it leads to)'
  if (status === 401 || status === 403) return ' (does it verify with the same FORWARD_SECRET?)'
  if (status === 410) return ' (it wants no more of them: take `forward` out of the configuration)'
  return ''
}

/**
 * Seconds, or a date of HTTP; undefined for what is neither, or is over.
 * Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
function retryAfter(value: string | null, now: number): Date | undefined {
  if (value === null) return undefined
  const isSeconds = /^\d+$/.test(value)
  const until = isSeconds
    ? now + Math.min(Number(value), LONGEST_WAIT_SECONDS) * 1000
    : Math.min(
        /^[A-Z][a-z]{2}/.test(value) ? Date.parse(value) : Number.NaN,
        now + LONGEST_WAIT_SECONDS * 1000
      )
  return until > now ? new Date(until) : undefined
}

/** What it says is for people; the status counts. */
async function readSome({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of body ?? []) {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes >= READ_BYTES) break
    }
  } catch {
    // cut off: what came before is told
  }
  return Buffer.concat(chunks).toString()
}

/** The error of `fetch` says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { message?: string; code?: string } }
  // Node's error has an empty message when every address of a host refuses
  return cause?.message || cause?.code || message
}

/** A receiver may quote what it was sent. */
function clean(text: string, { secrets }: Request): string {
  let cleaned = text
  for (const secret of secrets) cleaned = cleaned.replaceAll(secret, '[secret]')
  return (
    cleaned
      .replace(/v1,[\w+/]{40,}=*/g, '[signature]')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      .replace(/[\u0000-\u0020\u007f-\u009f\u2028\u2029]+/g, ' ')
      .trim()
      .slice(0, TOLD_CHARACTERS)
      .toWellFormed()
  )
}
