import type { z } from 'zod'
import type { CloudinaryClient } from './client.ts'
import { readResponse } from './response.ts'

export interface RestCall<Content> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Path after the API URL, encoded, such as `/v1_1/demo/triggers`. */
  path: string
  query?: Record<string, string | number>
  /** Body of the request, sent as JSON. */
  body?: object
  /** Timeout of the call, in milliseconds. (Default: the client's) */
  timeoutMs?: number
  /** Schema of the response. Without it the body is ignored. */
  answer?: z.ZodType<Content>
}

/**
 * Makes a JSON call with HTTP basic authentication, as in the Admin API. For calls that the SDK lacks, or
 * whose options it drops.
 *
 * @param name name of the call, for errors
 * @throws {CloudinaryError} CLOUDINARY_ANSWER_INVALID if the response does not match the schema
 */
export async function callRest<Content = void>(
  client: CloudinaryClient,
  name: string,
  call: RestCall<Content>
): Promise<Content> {
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
          // a redirect could leak the authorization to another host
          redirect: 'error',
          signal
        })
        if (!response.ok) throw await rejectionOf(response)
        return await response.text()
      } catch (error) {
        // errors of `fetch` say only "fetch failed"; the reason is in the cause
        throw error instanceof TypeError && error.cause ? error.cause : error
      }
    },
    timeoutMs
  )
  return answer ? readResponse(name, jsonOf(text), answer) : (undefined as Content)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Converts an error response to the form that the SDK rejects with, which the client maps. */
export async function rejectionOf(response: Response): Promise<{ http_code: number; message: string }> {
  const answer = (await response.json().catch(() => undefined)) as
    | { error?: { message?: string } }
    | undefined
  return { http_code: response.status, message: answer?.error?.message ?? response.statusText }
}
