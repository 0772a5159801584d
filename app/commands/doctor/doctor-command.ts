import { inspectConfig } from '../../config.ts'
import { createDynamoDbClient } from '../../journal/dynamodb.ts'
import { loadListener } from '../../listener-config/load-listener.ts'
import { SILENT } from '../../logger.ts'
import { createSqsClient } from '../../queue/sqs-client.ts'
import { WORKER_REQUIRES } from '../../roles/worker.ts'
import { createClients, loadEnvironments } from '../../wiring.ts'
import { readArguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { diagnosis } from './diagnosis.ts'
import { doctor } from './doctor.ts'

/** Time-out of one of the three tries of a call, in milliseconds. */
const PROBE_MS = 1500

export const DOCTOR_USAGE = `Usage: node app/main.ts doctor

Checks what the listener needs, a line for each finding: configuration, credentials, processors, queues, table, Cloudinary
with its triggers and metadata fields, what single processors need (database, topic, receiver), and the clock. Changes
nothing. Run it where the listener runs, with its environment and its role.

Exit code: 0 when there is no fault; 1 when there is one; 2 for a wrong option. A warning is no fault.
`

export const doctorCommand: Command = {
  summary: 'checks what the listener needs, and says which part is at fault',
  usage: DOCTOR_USAGE,
  async run(args, print) {
    readArguments({ args })
    const { config, problems } = inspectConfig(WORKER_REQUIRES)
    const sqs = createSqsClient(PROBE_MS)
    const areNamed = !problems.some(({ name }) => name.startsWith('CLOUDINARY_'))
    const environments = areNamed ? loadEnvironments(config, SILENT) : undefined
    environments?.catch(() => {}) // the check of the credentials reports why
    const checks = diagnosis({
      config,
      faults: problems.map(({ line }) => line),
      region: await sqs.config.region().catch(() => undefined),
      sqs,
      dynamoDb: () => createDynamoDbClient(),
      environments,
      connect: (known) => createClients(known, SILENT),
      load: loadListener,
      log: SILENT
    })
    return doctor({ checks, print })
  }
}
