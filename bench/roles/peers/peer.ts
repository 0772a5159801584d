import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Reports to the parent process where a peer listens, and exits when the parent does. */
export function reportListening(server: Server): void {
  process.send?.({ kind: 'listening', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  process.once('disconnect', () => process.exit())
}

/** The port to listen on. (Default: any free port) */
export const PORT = Number(process.env.PORT ?? 0)
export const HOST = '127.0.0.1'

/** Longer than the benchmark leaves a connection idle. */
export const KEEP_ALIVE_MS = 65_000
