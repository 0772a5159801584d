import { randomBytes } from 'node:crypto'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { CloudinaryClients } from './cloudinary/clients.ts'
import { type Config, ConfigError, type Credentials, credentialSource } from './config.ts'
import { Environments } from './credentials/environments.ts'
import { fromSecretsManager, fromUrl } from './credentials/secret-source.ts'
import type { Logger } from './logger.ts'
import { EmfMetrics } from './metrics/emf.ts'
import { NO_METRICS, type RoleMetrics } from './metrics/metrics.ts'
import { createSqsClient } from './queue/sqs-client.ts'

/** Maximum duration of one try of an SQS call, in milliseconds. Receiving waits for messages. */
export const SEND_MS = 2500
export const RECEIVE_MS = 10_000

/** Returns a hexadecimal id, which becomes part of deduplication ids. */
export const newRunId = (): string => randomBytes(4).toString('hex')

export function createClients(environments: Environments, log: Logger): CloudinaryClients {
  return new CloudinaryClients({
    environments,
    onChange: (cloudName, state) => {
      if (state.open) log.error({ cloudName, ...state }, 'circuit breaker opened')
      else log.info({ cloudName, ...state }, 'circuit breaker closed')
    }
  })
}

/** Creates the metrics of a role. Without METRICS_NAMESPACE nothing is written. */
export function createMetrics(
  role: string,
  { METRICS_NAMESPACE: namespace }: Pick<Config, 'METRICS_NAMESPACE'>,
  { log, write }: { log: Logger; write: (line: string) => void }
): RoleMetrics {
  return namespace ? new EmfMetrics({ namespace, role, log, write, clock: Date.now }) : NO_METRICS
}

/** Creates the environments and reads the credentials. */
export async function loadEnvironments(config: Credentials, log: Logger): Promise<Environments> {
  const environments = createEnvironments(config, log)
  await environments.load()
  return environments
}

export function createEnvironments(config: Credentials, log: Logger): Environments {
  const source = credentialSource(config)
  return new Environments({
    log,
    source:
      'url' in source
        ? fromUrl(source.url)
        : fromSecretsManager(
            new SecretsManagerClient({ requestHandler: { connectionTimeout: 2000, requestTimeout: 5000 } }),
            source.secretId,
            // a notification may wait for this read, and Cloudinary waits 20 s
            { log, timeoutMs: 6000 }
          )
  })
}

/** @throws {ConfigError} if no AWS region is configured */
export async function createRegionalSqs(requestTimeoutMs: number) {
  const sqs = createSqsClient(requestTimeoutMs)
  try {
    await sqs.config.region()
  } catch {
    throw new ConfigError(['AWS_REGION is not set; it must be the region of the queue, such as eu-west-1'])
  }
  return sqs
}
