import { CloudinaryClients } from '../../app/cloudinary/clients.ts'
import { Environments } from '../../app/credentials/environments.ts'
import { fromSecretsManager } from '../../app/credentials/secret-source.ts'
import type { Logger } from '../../app/logger.ts'
import { EventSender } from '../../app/queue/event-sender.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { DynamoDbModel } from './models/dynamodb.ts'
import type { SecretModel } from './models/secrets.ts'
import { sqsClient } from './models/sqs-client.ts'
import type { SqsQueue } from './models/sqs-queue.ts'
import type { Network } from './network.ts'
import type { Plan } from './plan.ts'
import type { Scheduler, SimulatedProcess } from './scheduler.ts'

/** The outside of the listener, as all its processes reach it. */
export interface Dependencies {
  plan: Plan
  scheduler: Scheduler
  network: Network
  ledger: Ledger
  queue: SqsQueue
  deadLetterQueue: SqsQueue
  dynamoDb: DynamoDbModel
  secret: SecretModel
  crash: (process: SimulatedProcess) => void
}

export const QUEUE_URL = 'queue'
export const DEAD_LETTER_QUEUE_URL = 'dead-letters'

/** Creates the parts that roles and commands share, for the process that runs. */
export function partsOf({
  scheduler,
  network,
  ledger,
  queue,
  deadLetterQueue,
  dynamoDb,
  secret
}: Dependencies) {
  const log = logOf(ledger)
  const sqs = sqsClient(network, scheduler, { [QUEUE_URL]: queue, [DEAD_LETTER_QUEUE_URL]: deadLetterQueue })
  const table = { client: dynamoDb.client(network), tableName: 'journal' }
  const environments = new Environments({
    log,
    source: fromSecretsManager(secret.client(network, scheduler), 'secret', { log, timeoutMs: 6000 })
  })
  const clients = new CloudinaryClients({
    environments,
    onChange: (cloud, state) =>
      ledger.tell(`the circuit breaker of ${cloud} ${state.open ? 'opens' : 'closes'}`)
  })
  return { log, sqs, table, environments, clients, sender: new EventSender({ sqs, queueUrl: QUEUE_URL }) }
}

/** Returns a logger whose warnings are lines of the story. */
function logOf(ledger: Ledger): Logger {
  const quiet = () => {}
  const tell = (fields: unknown, message?: string) => {
    const { err, code } = (typeof fields === 'object' && fields !== null ? fields : {}) as {
      err?: Error & { code?: string }
      code?: string
    }
    ledger.tell([message ?? String(fields), code ?? err?.code ?? err?.name].filter(Boolean).join(': '))
  }
  const log = {
    level: 'info',
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: tell,
    error: tell,
    fatal: tell,
    child: () => log
  }
  return log as unknown as Logger
}
