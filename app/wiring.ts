import { randomBytes, randomUUID } from 'node:crypto'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { CloudinaryClients } from './cloudinary/clients.ts'
import { type Config, ConfigError, type Credentials, credentialSource } from './config.ts'
import { Environments } from './credentials/environments.ts'
import { fromSecretsManager, fromUrl } from './credentials/secret-source.ts'
import { ActivityWriter } from './journal/activity-writer.ts'
import { createDynamoDbClient } from './journal/dynamodb.ts'
import type { Logger } from './logger.ts'
import { combineMetrics } from './metrics/combined-metrics.ts'
import { EmfMetrics } from './metrics/emf.ts'
import type { RoleMetrics } from './metrics/metrics.ts'
import { MinuteMetrics } from './metrics/minute-metrics.ts'
import { createSqsClient } from './queue/sqs-client.ts'
import type { Tracing } from './tracing/tracing.ts'

/** Maximum duration of one try of an SQS call, in milliseconds. Receiving waits for messages. */
export const SEND_MS = 2500
export const RECEIVE_MS = 10_000

/** Returns a hexadecimal id, which becomes part of deduplication ids. */
export const newRunId = (): string => randomBytes(4).toString('hex')

export function createClients(environments: Environments, log: Logger, tracing?: Tracing): CloudinaryClients {
  return new CloudinaryClients({
    environments,
    tracing,
    onChange: (cloudName, state) => {
      if (state.open) log.error({ cloudName, ...state }, 'circuit breaker opened')
      else log.info({ cloudName, ...state }, 'circuit breaker closed')
    }
  })
}

/** Writes what a role counts and samples for the activity page. */
export interface ActivityOutput {
  writer: ActivityWriter
  close: () => void
}

/** Connections for counts and samples: each is written one at a time. */
const OUTPUT_CONNECTIONS = 3

/** Returns undefined without JOURNAL_TABLE: the activity page then lacks the counts of this process. */
export function createActivityOutput({
  JOURNAL_TABLE: tableName
}: Pick<Config, 'JOURNAL_TABLE'>): ActivityOutput | undefined {
  if (tableName === undefined) return undefined
  const client = createDynamoDbClient(OUTPUT_CONNECTIONS)
  const writer = new ActivityWriter({ client, tableName, process: randomUUID(), clock: Date.now })
  return { writer, close: () => client.destroy() }
}

/**
 * Creates the metrics of a role: log lines with METRICS_NAMESPACE, counts by minute with a writer, and those that are
 * scraped.
 */
export function createMetrics(
  role: string,
  { METRICS_NAMESPACE: namespace }: Pick<Config, 'METRICS_NAMESPACE'>,
  {
    log,
    write,
    writer,
    scraped
  }: {
    log: Logger
    write: (line: string) => void
    writer?: ActivityWriter | undefined
    scraped?: RoleMetrics | undefined
  }
): RoleMetrics {
  const clock = Date.now
  return combineMetrics([
    ...(namespace ? [new EmfMetrics({ namespace, role, log, write, clock })] : []),
    ...(scraped ? [scraped] : []),
    ...(writer ? [new MinuteMetrics({ put: (record) => writer.putMinute(record), log, clock })] : [])
  ])
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
            // a notification may wait for this read, and Cloudinary waits at most 20 s for the response
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
