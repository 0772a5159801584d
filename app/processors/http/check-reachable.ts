import { once } from 'node:events'
import { connect as connectTcp, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ListenerError } from '../../errors.ts'

/**
 * Connects to the host of a URL, with TLS for https, without sending a request.
 *
 * @param names `code`: beginning of the error code; `setting`: where the URL is set, such as `` `url` ``;
 *   `target`: name of the other system in errors (Default: the origin of the URL)
 * @throws {ListenerError} …_UNAVAILABLE
 */
export async function checkReachable(
  { protocol, hostname, port, origin }: URL,
  signal: AbortSignal,
  { code, setting, target = origin }: { code: string; setting: string; target?: string }
): Promise<void> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const isSecure = protocol === 'https:'
  const address = { host, port: Number(port) || (isSecure ? 443 : 80) }
  // TLS does not allow an IP address as server name
  const socket = isSecure
    ? connectTls({ ...address, ...(isIP(host) === 0 && { servername: host }) })
    : connectTcp(address)
  try {
    await once(socket, isSecure ? 'secureConnect' : 'connect', { signal })
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code
    throw new ListenerError(
      `${code}_UNAVAILABLE`,
      `cannot reach ${target}: ${reason}; check ${setting}, its certificate and the network path to it`
    )
  } finally {
    socket.on('error', () => {}).destroy()
  }
}
