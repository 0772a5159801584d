import type { EntryProps, KeyValueMap, PlainClientAPI } from 'contentful-management'
import { cmsError } from './cms-error.ts'

export type ContentfulEntry = EntryProps<KeyValueMap>

export interface ContentfulOptions {
  token: string
  /** Base URL of the Content Management API. */
  url: string
  space: string
  environment: string
  timeoutMs: number
}

/** Makes a call with the official client, and maps its errors. */
export type ContentfulCall = <Result>(
  name: string,
  make: (client: PlainClientAPI) => Promise<Result>
) => Promise<Result>

/**
 * Creates the official client. It does not retry: the worker retries with increasing delay. It limits itself
 * to the rate that the API allows.
 */
export async function createContentful(options: ContentfulOptions): Promise<ContentfulCall> {
  const { token, url, space: spaceId, environment: environmentId, timeoutMs } = options
  const { createClient } = await import('contentful-management')
  const { protocol, hostname, port, pathname } = new URL(url)
  const isPlain = protocol === 'http:'
  const client = createClient(
    {
      accessToken: token,
      host: `${hostname}:${port || (isPlain ? 80 : 443)}`,
      insecure: isPlain,
      basePath: pathname.replace(/\/$/, ''),
      timeout: timeoutMs,
      retryOnError: false,
      throttle: 'auto',
      application: 'cloudinary-listener',
      // errors are reported where they are handled; the client's own lines would hold the request
      logHandler: () => {}
    },
    { type: 'plain', defaults: { spaceId, environmentId } }
  )
  return async (name, make) => {
    try {
      return await make(client)
    } catch (error) {
      throw cmsError({ call: `Contentful: ${name}`, ...failureIn(error), secrets: [token] })
    }
  }
}

/**
 * Reads status and reason of the client's error. For a response, its name is the API's code and its message
 * is JSON with the request in it.
 *
 * Source: https://github.com/contentful/contentful-sdk-core/blob/master/src/error-handler.ts
 */
export function failureIn(error: unknown): { status: number | undefined; reason: string } {
  const { name, message, code } = error as Error & { code?: string }
  try {
    const { status, message: reason } = JSON.parse(message) as { status?: number; message?: string }
    return { status, reason: [name, reason].filter(Boolean).join(': ') }
  } catch {
    // no response
    return { status: undefined, reason: message || code || name }
  }
}
