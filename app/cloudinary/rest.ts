import type { z } from 'zod'
import type { CloudinaryClient } from './client.ts'
import { readAnswer } from './response.ts'

export interface RestCall<Answer> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** From the host on, such as `/v1_1/demo/triggers`; names within are encoded. */
  path: string
  query?: Record<string, string | number>
  /** Sent as JSON. */
  body?: object
  /** Default that of the client. */
  timeoutMs?: number
  /** What the caller reads of the answer. Without it the answer's body may be anything, or nothing. */
  answer?: z.ZodType<Answer>
}

/**
 * A call that the SDK has no function for, or one that drops its options: JSON with HTTP basic authentication, as in the
 * whole Admin API. Connections are kept open by `fetch`.
 *
 * @param name what is called, for errors
 * @throws {CloudinaryError} CLOUDINARY_ANSWER_INVALID where the answer is not what the caller can read
 */
export async function callRest<Answer = void>(
  client: CloudinaryClient,
  name: string,
  call: RestCall<Answer>
): Promise<Answer> {
  const { method, path, query = {}, body, timeoutMs, answer } = call
  const text = await client.call(
    name,
    async (_sdk, options, signal) => {
      const url = new URL(`${options.upload_prefix}${path}`)
      for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value))
      const credentials = Buffer.from(`${options.api_key}:${options.api_secret}`).toString('base64')
      try {
        const response = await fetch(url, {
          method,
          headers: {
            authorization: `Basic ${credentials}`,
            ...(body && { 'content-type': 'application/json' })
          },
          ...(body && { body: JSON.stringify(body) }),
          // a redirect could lead the authorization elsewhere
          redirect: 'error',
          signal
        })
        if (!response.ok) throw await refusal(response)
        return await response.text()
      } catch (error) {
        // `fetch` says no more than "fetch failed"; what failed is its cause
        throw error instanceof TypeError && error.cause ? error.cause : error
      }
    },
    timeoutMs
  )
  return answer ? readAnswer(name, jsonOf(text), answer) : (undefined as Answer)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What the SDK would reject with where Cloudinary answers so: the client maps it. */
export async function refusal(response: Response): Promise<{ http_code: number; message: string }> {
  const answer = (await response.json().catch(() => undefined)) as
    | { error?: { message?: string } }
    | undefined
  return { http_code: response.status, message: answer?.error?.message ?? response.statusText }
}
