import { once } from 'node:events'
import { connect as connectTcp, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { ListenerError } from '../../errors.ts'

/**
 * Connects to the host of a URL as a post would, with TLS for https, and sends no request.
 *
 * @throws {ListenerError} FORWARD_UNAVAILABLE
 */
export async function reach({ protocol, hostname, port, origin }: URL, signal: AbortSignal): Promise<void> {
  const host = hostname.replace(/^\[|\]$/g, '')
  const isSecure = protocol === 'https:'
  const address = { host, port: Number(port) || (isSecure ? 443 : 80) }
  // a name alone can be indicated
  const socket = isSecure
    ? connectTls({ ...address, ...(isIP(host) === 0 && { servername: host }) })
    : connectTcp(address)
  try {
    await once(socket, isSecure ? 'secureConnect' : 'connect', { signal })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ListenerError(
      'FORWARD_UNAVAILABLE',
      `${origin} cannot be reached: ${code}; check \`url\`, its certificate and the network path to it`
    )
  } finally {
    socket.on('error', () => {}).destroy()
  }
}
