import { unescape as decode } from 'node:querystring'

/** What `pg` knows; any other it would take for `verify-full`, or ignore. */
const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']

/** Stands for the host that a socket's URL lacks: with a user and without a host, it is no URL by WHATWG. */
const SOCKET = 'socket.invalid'

const parse = (url: string): URL | null => URL.parse(url) ?? URL.parse(url.replace('@/', `@${SOCKET}/`))

/**
 * Checks the URL of a PostgreSQL database.
 *
 * @returns what is wrong with it, without any of its secrets; undefined where it can be used
 */
export function problemOfDatabaseUrl(url: string): string | undefined {
  const parsed = parse(url)
  if (parsed === null || !/^postgres(?:ql)?:$/.test(parsed.protocol)) {
    return 'it must be postgres://USER:PASSWORD@HOST:PORT/NAME'
  }
  if (['', SOCKET].includes(parsed.host) && !parsed.searchParams.get('host')) {
    return 'it names no host; for a Unix socket it must be postgres:///NAME?host=/DIRECTORY'
  }
  const mode = parsed.searchParams.get('sslmode')
  if (mode === null || SSL_MODES.includes(mode)) return undefined
  return `its sslmode ${JSON.stringify(mode)} must be one of ${SSL_MODES.join(', ')}`
}

/** The passwords in a URL that can be used, as they are written and as they are sent. */
export function passwordsOf(url: string): string[] {
  const { password, searchParams } = parse(url)!
  return [password, decode(password), searchParams.get('password') ?? ''].filter(Boolean)
}
