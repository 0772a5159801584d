import type { CloudinaryClient } from './client.ts'

export interface RestCall {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** From the host on, such as `/v1_1/demo/triggers`; names within are encoded. */
  path: string
  query?: Record<string, string | number>
  /** Sent as JSON. */
  body?: object
  /** Default that of the client. */
  timeoutMs?: number
}

/**
 * A call that the SDK has no function for, or one that drops its options: JSON with HTTP basic authentication, as in the
 * whole Admin API. Connections are kept open by `fetch`.
 *
 * @param name what is called, for errors
 * @returns the answer's body
 * @throws {CloudinaryError}
 */
export async function callRest<Answer>(
  client: CloudinaryClient,
  name: string,
  call: RestCall
): Promise<Answer> {
  const { method, path, query = {}, body, timeoutMs } = call
  return client.call(
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
        return (await response.json()) as Answer
      } catch (error) {
        // `fetch` says no more than "fetch failed"; what failed is its cause
        throw error instanceof TypeError && error.cause ? error.cause : error
      }
    },
    timeoutMs
  )
}

/** What the SDK would reject with where Cloudinary answers so: the client maps it. */
export async function refusal(response: Response): Promise<{ http_code: number; message: string }> {
  const answer = (await response.json().catch(() => undefined)) as
    | { error?: { message?: string } }
    | undefined
  return { http_code: response.status, message: answer?.error?.message ?? response.statusText }
}
