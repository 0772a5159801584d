import type { CloudinaryClient } from './cloudinary/client.ts'
import { type Credentials, readConfig } from './config.ts'
import { ListenerError } from './errors.ts'
import { type Logger, SILENT } from './logger.ts'
import { createClients, loadEnvironments } from './wiring.ts'

export interface ConnectOptions {
  /** The product environment, where there are credentials for several. */
  cloudName?: string | undefined
  /** Aborts every call. */
  signal?: AbortSignal
  /** Told when Cloudinary is down; default silent. */
  log?: Logger
}

/** Calls to one product environment, outside a processor. */
export interface Connection {
  client: CloudinaryClient
  /** Closes the connections that are kept open. */
  close: () => void
}

/**
 * Connects to Cloudinary as the worker does: with the credentials of `CLOUDINARY_URL` or `CLOUDINARY_SECRET_ID`.
 *
 * @throws {ConfigError} CONFIG_INVALID; {@link ListenerError}: ENVIRONMENT_UNKNOWN; ENVIRONMENT_AMBIGUOUS where there are
 *   several and none is named; what reading the secret throws
 */
export const connect = async (options?: ConnectOptions): Promise<Connection> =>
  connectTo(readConfig(), options)

/** Connects to Cloudinary with the credentials of an environment that was read before. */
export async function connectTo(config: Credentials, options: ConnectOptions = {}): Promise<Connection> {
  const { signal = new AbortController().signal, log = SILENT } = options
  const environments = await loadEnvironments(config, log)
  const names = environments.cloudNames()
  const cloudName = options.cloudName ?? (names.length === 1 ? names[0] : undefined)
  if (cloudName === undefined) {
    throw new ListenerError('ENVIRONMENT_AMBIGUOUS', `say which product environment: ${names.join(', ')}`)
  }
  const clients = createClients(environments, log)
  return { client: clients.for(cloudName, signal), close: () => clients.close() }
}
