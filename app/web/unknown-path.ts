import type { FastifyRequest } from 'fastify'
import { maskSecrets } from '../mask.ts'
import type { LineLimit } from './log-rate-limit.ts'

/** Maximum length of a path in the log, in characters. */
const MAXIMUM_LENGTH = 200

/** Scheme and authority of a request target in absolute form, which may hold credentials. */
const ORIGIN = /^[a-z][\w+.-]*:\/\/[^/?#]*/i

/**
 * Logs a POST to a path that does not exist, once a minute: the address in Cloudinary may be mistyped, and then every
 * notification is lost.
 */
export function reportUnknownPath({ method, url, ip, log }: FastifyRequest, lineLimit: LineLimit): void {
  if (method !== 'POST' || !lineLimit.allows('PATH_UNKNOWN', 1)) return
  log.warn({ code: 'PATH_UNKNOWN', path: loggedPath(url), ip }, 'POST to unknown path')
}

/**
 * The path of a request target, bounded and without its query. It is the sender's, and may hold anything that is printable
 * ASCII: Node.js refuses other bytes.
 */
function loggedPath(target: string): string {
  const [path = ''] = target.replace(ORIGIN, '').split(/[?#]/, 1)
  return maskSecrets(path.slice(0, MAXIMUM_LENGTH)) + (path.length > MAXIMUM_LENGTH ? '…' : '')
}
