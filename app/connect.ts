import type { CloudinaryClient } from './cloudinary/client.ts'
import { type Credentials, readConfig } from './config.ts'
import { ListenerError } from './errors.ts'
import { type Logger, SILENT } from './logger.ts'
import { createClients, loadEnvironments } from './wiring.ts'

export interface ConnectOptions {
  /** The product environment. (Default: the only one that there are credentials for) */
  cloudName?: string | undefined
  /** Aborts every call. */
  signal?: AbortSignal
  /** Logs circuit breaker changes. (Default: silent) */
  log?: Logger
}

/** A client for one product environment, for use outside a processor. */
export interface Connection {
  client: CloudinaryClient
  /** Closes idle connections. */
  close: () => void
}

/**
 * Connects to Cloudinary with the credentials from `CLOUDINARY_URL` or `CLOUDINARY_SECRET_ID`, like the
 * worker.
 *
 * @throws {ConfigError} CONFIG_INVALID
 * @throws {ListenerError} ENVIRONMENT_UNKNOWN; ENVIRONMENT_AMBIGUOUS if there are several and `cloudName` is
 *   not set; errors of reading the secret
 */
export const connect = async (options?: ConnectOptions): Promise<Connection> =>
  connectTo(readConfig(), options)

/** Connects to Cloudinary with the credentials from a configuration. */
export async function connectTo(config: Credentials, options: ConnectOptions = {}): Promise<Connection> {
  const { signal = new AbortController().signal, log = SILENT } = options
  const environments = await loadEnvironments(config, log)
  const names = environments.cloudNames()
  const cloudName = options.cloudName ?? (names.length === 1 ? names[0] : undefined)
  if (cloudName === undefined) {
    throw new ListenerError(
      'ENVIRONMENT_AMBIGUOUS',
      `there are several product environments; choose one: ${names.join(', ')}`
    )
  }
  const clients = createClients(environments, log)
  return { client: clients.for(cloudName, signal), close: () => clients.close() }
}
