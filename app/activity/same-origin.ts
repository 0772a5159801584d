import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a request comes from a page of this server, or from no page at all. Browsers send Sec-Fetch-Site only over HTTPS
 * and to localhost, and Origin with every request that can change something; other clients send neither.
 * Source: https://w3c.github.io/webappsec-fetch-metadata/
 */
export function isSameOrigin(headers: IncomingHttpHeaders): boolean {
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  if (origin === undefined) return true
  // the scheme is not compared: a load balancer may end TLS
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()
}
