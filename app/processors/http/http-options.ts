import { z } from 'zod'

/** The address of another system: without credentials, and encrypted unless it is on this machine. */
export const HTTP_URL = z.url({ protocol: /^https?$/ }).refine((url) => !hasCredentials(URL.parse(url)), {
  error: 'must not contain credentials; set the header authorization in `headers`'
})

/** Headers to add to every request. `reserved` matches those that the processor sets. */
export const httpHeaders = (reserved: RegExp) =>
  z
    .record(z.string(), z.string())
    .refine((headers) => areHeaders(headers, reserved), {
      error: 'must be valid HTTP headers, without those that the processor sets, such as content-type'
    })
    .default({})

/** Headers that HTTP itself sets, or that describe the body. */
export const RESERVED_HEADERS = /^(?:content-type|content-length|transfer-encoding|host|connection)$/i

/**
 * Returns whether a URL uses TLS, or is on this machine. True for an invalid URL, which has an error of its
 * own.
 */
export function isEncryptedOrLocal(given: string): boolean {
  const url = URL.parse(given)
  return url?.protocol !== 'http:' || isLocal(url)
}

/** Returns whether a URL names this machine, which other machines cannot reach under that name. */
export const isLocal = ({ hostname }: URL): boolean =>
  /^(?:localhost|\[::1\]|127(?:\.\d+){3})$/.test(hostname)

const hasCredentials = (url: URL | null) => Boolean(url?.username || url?.password)

function areHeaders(headers: Record<string, string>, reserved: RegExp): boolean {
  try {
    return ![...new Headers(headers).keys()].some(
      (name) => RESERVED_HEADERS.test(name) || reserved.test(name)
    )
  } catch {
    return false
  }
}
