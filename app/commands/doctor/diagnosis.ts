import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { CloudinaryClients } from '../../cloudinary/clients.ts'
import type { Config } from '../../config.ts'
import type { Environments } from '../../credentials/environments.ts'
import { missingVariables, readRequirements } from '../../listener-config/requirements.ts'
import type { Logger } from '../../logger.ts'
import type { Listener } from '../../processor.ts'
import { clock, timeServers } from './clock-check.ts'
import { cloudinary } from './cloudinary-check.ts'
import { configuration } from './configuration-check.ts'
import { credentials } from './credentials-check.ts'
import type { Check } from './doctor.ts'
import { metadata } from './metadata-check.ts'
import { processors } from './processors-check.ts'
import { deadLetterQueue, queue } from './queue-checks.ts'
import { table } from './table-check.ts'
import { triggers } from './triggers-check.ts'

export interface DiagnosisOptions {
  /** What of the environment is good. */
  config: Partial<Config>
  /** One line for each variable that is bad or missing. */
  faults: readonly string[]
  /** Of AWS; undefined where none is set. */
  region: string | undefined
  sqs: SQSClient
  dynamoDb: () => Pick<DynamoDBClient, 'send'>
  /** Undefined where nothing valid says where the credentials are. */
  environments: Promise<Environments> | undefined
  connect: (known: Environments) => CloudinaryClients
  load: (path: string) => Promise<Listener>
  log: Logger
}

/**
 * All checks of `doctor`. What has a bad variable is left out, since the first check says what to correct; and so is what
 * cannot be asked because of a fault that an earlier check has found.
 */
export async function* diagnosis(options: DiagnosisOptions): AsyncGenerator<Check, void> {
  const { config, faults, region, sqs, environments, load, log } = options
  const { QUEUE_URL: queueUrl, DEAD_LETTER_QUEUE_URL: deadLetterQueueUrl, JOURNAL_TABLE: tableName } = config
  yield configuration({ faults, region })
  if (environments) yield credentials({ environments })
  let listener: Listener | undefined
  if (config.LISTENER_CONFIG) {
    const keep = async (path: string) => {
      listener = await load(path)
      return listener
    }
    yield processors({ path: config.LISTENER_CONFIG, load: keep, config })
  }
  const loaded = listener?.processors ?? []
  if (region && queueUrl) yield queue({ sqs, queueUrl, deadLetterQueueUrl })
  if (region && deadLetterQueueUrl) {
    yield deadLetterQueue({ sqs, queueUrl: deadLetterQueueUrl, clock: Date.now })
  }
  if (region && tableName) yield table({ client: options.dynamoDb(), tableName })
  if (environments) {
    const cloudNames: string[] = []
    let clients: CloudinaryClients | undefined
    yield cloudinary({
      environments,
      connect: (known) => {
        clients = options.connect(known)
        return clients
      },
      onAnswer: (cloudName) => cloudNames.push(cloudName)
    })
    if (clients) {
      const clouds = { clients, cloudNames, processors: loaded }
      yield triggers({ ...clouds, config })
      yield metadata(clouds)
    }
  }
  for (const processor of loaded) {
    if (!processor.check || missingVariables([processor], config).length > 0) continue
    // what it requires is valid, and of the rest it knows that it may be missing
    const known = readRequirements([processor], config) as Config
    const context = { config: known, log: log.child({ processor: processor.name }) }
    yield { subject: processor.name, run: async (signal) => processor.check!({ ...context, signal }) }
  }
  yield clock({ servers: () => timeServers({ queueUrl, environments }), fetch, clock: Date.now })
}
