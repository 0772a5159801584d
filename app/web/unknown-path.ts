import type { FastifyRequest } from 'fastify'
import { maskSecrets } from '../mask.ts'
import { traceIdOf } from './headers.ts'
import type { LogRateLimit } from './log-rate-limit.ts'

/** Maximum length of a path in the log, in characters. */
const MAX_LENGTH = 200

/** Scheme and authority of a request target in absolute form. May hold credentials. */
const ORIGIN = /^[a-z][\w+.-]*:\/\/[^/?#]*/i

/**
 * Logs a POST to an unknown path, once a minute: if the URL in Cloudinary is mistyped, every notification is
 * lost.
 */
export function reportUnknownPath(
  { method, url, ip, log, headers }: FastifyRequest,
  logRateLimit: LogRateLimit
): void {
  if (method !== 'POST' || !logRateLimit.allows('PATH_UNKNOWN', 1)) return
  log.warn(
    { code: 'PATH_UNKNOWN', path: loggedPath(url), ip, traceId: traceIdOf(headers) },
    'POST to unknown path'
  )
}

/**
 * Returns the path of a request target, truncated and without its query. It may hold any printable ASCII:
 * Node.js rejects other bytes.
 */
function loggedPath(target: string): string {
  const [path = ''] = target.replace(ORIGIN, '').split(/[?#]/, 1)
  return maskSecrets(path.slice(0, MAX_LENGTH)) + (path.length > MAX_LENGTH ? '…' : '')
}
