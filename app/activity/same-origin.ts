import type { IncomingHttpHeaders } from 'node:http'

/**
 * Returns whether a request comes from a page of this server, or from a client that is not a browser.
 * Browsers send Sec-Fetch-Site only over HTTPS and to localhost, and Origin with every request that can
 * change data; other clients send neither.
 * Source: https://w3c.github.io/webappsec-fetch-metadata/
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  if (origin === undefined) return true
  // do not compare the scheme: a load balancer may terminate TLS
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()
}
