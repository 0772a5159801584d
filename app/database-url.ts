import { unescape as decode } from 'node:querystring'

/** The modes that `pg` knows. It treats others as `verify-full`, or ignores them. */
const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']

/** Replaces the missing host of a socket's URL, since WHATWG URLs cannot have a user without a host. */
const SOCKET = 'socket.invalid'

const parse = (url: string): URL | null => URL.parse(url) ?? URL.parse(url.replace('@/', `@${SOCKET}/`))

/**
 * Validates the URL of a PostgreSQL database.
 *
 * @returns what is wrong with it, without its secrets; undefined if it is valid
 */
export function problemOfDatabaseUrl(url: string): string | undefined {
  const parsed = parse(url)
  if (parsed === null || !/^postgres(?:ql)?:$/.test(parsed.protocol)) {
    return 'it must be postgres://USER:PASSWORD@HOST:PORT/NAME'
  }
  if (['', SOCKET].includes(parsed.host) && !parsed.searchParams.get('host')) {
    return 'it has no host; for a Unix socket it must be postgres:///NAME?host=/DIRECTORY'
  }
  const mode = parsed.searchParams.get('sslmode')
  if (mode === null || SSL_MODES.includes(mode)) return undefined
  return `its sslmode ${JSON.stringify(mode)} must be one of ${SSL_MODES.join(', ')}`
}

/** Returns the passwords in a valid URL, both encoded and decoded. */
export function passwordsOf(url: string): string[] {
  const { password, searchParams } = parse(url)!
  return [password, decode(password), searchParams.get('password') ?? ''].filter(Boolean)
}
