import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { CloudinaryClients } from '../../cloudinary/clients.ts'
import type { Config } from '../../config.ts'
import type { Environments } from '../../credentials/environments.ts'
import type { JournalTable } from '../../journal/journal-table.ts'
import { StateStore } from '../../journal/processor-state.ts'
import { missingVariables, readRequirements } from '../../listener-config/requirements.ts'
import type { Logger } from '../../logger.ts'
import type { Listener } from '../../processor.ts'
import { schedulesOf } from '../../schedules/listener-schedules.ts'
import { SCHEDULES_STATE } from '../schedules/schedule-progress.ts'
import type { Check } from './check.ts'
import { clock, timeServers } from './clock-check.ts'
import { cloudinary } from './cloudinary-check.ts'
import { configuration } from './configuration-check.ts'
import { credentials } from './credentials-check.ts'
import { metadata } from './metadata-check.ts'
import { processors } from './processors-check.ts'
import { deadLetterQueue, queue } from './queue-checks.ts'
import { schedules } from './schedules-check.ts'
import { table } from './table-check.ts'
import { triggers } from './triggers-check.ts'

export interface DoctorCheckOptions {
  /** The valid variables. */
  config: Partial<Config>
  /** One line for each invalid or missing variable. */
  configErrors: readonly string[]
  /** AWS region; undefined if none is set. */
  region: string | undefined
  sqs: SQSClient
  dynamoDb: () => Pick<DynamoDBClient, 'send'> & JournalTable['client']
  /** Undefined if the variables of the credentials are invalid. */
  environments: Promise<Environments> | undefined
  connect: (known: Environments) => CloudinaryClients
  load: (path: string) => Promise<Listener>
  log: Logger
}

/**
 * Yields all checks of `doctor`. Omits checks that an invalid variable or an earlier fault makes impossible:
 * the earlier check reports what to do.
 */
export async function* doctorChecks(options: DoctorCheckOptions): AsyncGenerator<Check, void> {
  const { config, configErrors, region, sqs, environments, load, log } = options
  const { QUEUE_URL: queueUrl, DEAD_LETTER_QUEUE_URL: deadLetterQueueUrl, JOURNAL_TABLE: tableName } = config
  yield configuration({ configErrors, region })
  if (environments) yield credentials({ environments })
  let listener: Listener | undefined
  if (config.LISTENER_CONFIG) {
    const loadAndKeep = async (path: string) => {
      listener = await load(path)
      return listener
    }
    yield processors({ path: config.LISTENER_CONFIG, load: loadAndKeep, config })
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
      const scheduled = listener ? schedulesOf(listener) : []
      if (region && tableName && scheduled.length > 0) {
        const state = new StateStore({ client: options.dynamoDb(), tableName }).ofCommand(SCHEDULES_STATE)
        yield schedules({ schedules: scheduled, cloudNames, state, clock: Date.now })
      }
    }
  }
  for (const processor of loaded) {
    if (!processor.check || missingVariables([processor], config).length > 0) continue
    // the variables that this check requires are valid; others may be missing
    const known = readRequirements([processor], config) as Config
    const context = { config: known, log: log.child({ processor: processor.name }) }
    yield { subject: processor.name, run: async (signal) => processor.check!({ ...context, signal }) }
  }
  yield clock({ servers: () => timeServers({ queueUrl, environments }), fetch, clock: Date.now })
}
