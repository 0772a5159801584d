import { parseArgs } from 'node:util'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import closeWithGrace from 'close-with-grace'
import { CloudinaryClients } from './cloudinary/client.ts'
import { Environments } from './cloudinary/environments.ts'
import { fromSecretsManager, fromUrl } from './cloudinary/secret-source.ts'
import { type Config, ConfigError, credentialSource, readConfig, type VariableName } from './config.ts'
import { ListenerError } from './errors.ts'
import { createDynamoDbClient } from './journal/dynamodb.ts'
import { Journal } from './journal/journal.ts'
import { type Listener, loadListener } from './listener.ts'
import { createLogger, type Logger, SERIALIZERS } from './logger.ts'
import { Outbox } from './queue/outbox.ts'
import { createSqsClient, probeQueue } from './queue/sqs.ts'
import { Lifecycle } from './web/lifecycle.ts'
import { buildServer } from './web/server.ts'
import { createWorker } from './worker/worker.ts'

/** A started role; stops without losing anything. */
type Stop = () => Promise<void>

interface Context {
  listener: Listener
  log: Logger
}

interface Role {
  summary: string
  /** Variables that it cannot do without. */
  requires: readonly VariableName[]
  /** How long a stop may take, in milliseconds, before the process ends all the same; ECS allows 120 s. */
  stopWithinMs: number
  start: (context: Context) => Promise<Stop>
}

const WEB_REQUIRES = ['QUEUE_URL'] as const
const WORKER_REQUIRES = ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'JOURNAL_TABLE'] as const

/** How long the worker's handlers may go on when it stops, in milliseconds. */
const WORKER_GRACE_MS = 60_000

/** An SQS call of `web` may take so long in one try, in milliseconds; of `worker`, which waits for messages, longer. */
const SEND_MS = 2500
const RECEIVE_MS = 10_000

const ROLES: Record<string, Role> = {
  web: {
    summary:
      'receives notifications over HTTP, verifies them and stores one event for each asset in the queue',
    requires: WEB_REQUIRES,
    stopWithinMs: 30_000,
    start: startWeb
  },
  worker: {
    summary: 'receives events from the queue and runs the processors of listener.config.ts',
    requires: WORKER_REQUIRES,
    stopWithinMs: 100_000,
    start: startWorker
  }
}

const USAGE = `Usage: node app/main.ts ROLE

${Object.entries(ROLES)
  .map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`)
  .join('\n')}

It is configured by environment variables, which README.md lists, and by listener.config.ts.
`

async function startWeb({ log }: Context): Promise<Stop> {
  const config = readConfig(WEB_REQUIRES)
  const environments = createEnvironments(config, log)
  const sqs = await createRegionalSqs(SEND_MS)
  const outbox = new Outbox({ sqs, queueUrl: config.QUEUE_URL })
  const lifecycle = new Lifecycle()
  const server = buildServer({
    log,
    environments,
    outbox,
    lifecycle,
    probeQueue: () => probeQueue(sqs, config.QUEUE_URL),
    toleranceSeconds: config.SIGNATURE_TOLERANCE_SECONDS,
    bodyLimitBytes: config.BODY_LIMIT_BYTES,
    clock: Date.now
  })
  const url = await server.listen({ port: config.PORT, host: config.HOST })
  await environments.load()
  environments.startBackgroundRefresh()
  lifecycle.state = 'ready'
  log.info({ url, webhook: `${url}/webhooks/cloudinary` }, 'web is ready')
  return async () => {
    lifecycle.state = 'draining'
    environments.stop()
    await server.close()
    await outbox.idle()
    sqs.destroy()
  }
}

async function startWorker({ listener, log }: Context): Promise<Stop> {
  const config = readConfig(WORKER_REQUIRES)
  const environments = createEnvironments(config, log)
  const sqs = await createRegionalSqs(RECEIVE_MS)
  await environments.load()
  environments.startBackgroundRefresh()
  const clients = new CloudinaryClients({
    environments,
    uploadPrefix: environments.verificationKeys()[0]?.uploadPrefix,
    onChange: (cloudName, state) => {
      if (state.open) log.error({ cloudName, ...state }, 'Cloudinary is down or limits calls; events wait')
      else log.info({ cloudName, ...state }, 'Cloudinary is back; events go on')
    }
  })
  const dynamoDb = createDynamoDbClient()
  const worker = createWorker({
    sqs,
    queueUrl: config.QUEUE_URL,
    deadLetterQueueUrl: config.DEAD_LETTER_QUEUE_URL,
    listener,
    clients,
    journal: new Journal({ client: dynamoDb, tableName: config.JOURNAL_TABLE, log }),
    log,
    concurrency: config.WORKER_CONCURRENCY
  })
  worker.start()
  log.info({ processors: listener.processors.map(({ name }) => name) }, 'worker is ready')
  return async () => {
    await worker.stop(WORKER_GRACE_MS)
    environments.stop()
    clients.close()
    dynamoDb.destroy()
    sqs.destroy()
  }
}

function createEnvironments(config: Config, log: Logger): Environments {
  const source = credentialSource(config)
  return new Environments({
    log,
    source:
      'url' in source
        ? fromUrl(source.url)
        : fromSecretsManager(
            new SecretsManagerClient({ requestHandler: { connectionTimeout: 2000, requestTimeout: 5000 } }),
            source.secretId,
            // a notification may have to wait for it, and Cloudinary waits 20 s
            { log, timeoutMs: 6000 }
          )
  })
}

async function createRegionalSqs(requestTimeoutMs: number) {
  const sqs = createSqsClient(requestTimeoutMs)
  try {
    await sqs.config.region()
  } catch {
    throw new ConfigError(['AWS_REGION is not set; it must be the region of the queue, such as eu-west-1'])
  }
  return sqs
}

async function main(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
    strict: false
  })
  const name = positionals[0] ?? ''
  const role = ROLES[name]
  if (values.help || !role) {
    process[values.help ? 'stdout' : 'stderr'].write(USAGE)
    process.exitCode = values.help ? 0 : 2
    return
  }
  let log = createLogger({ level: 'info', role: name })
  let stop: Stop = async () => {}
  // from the beginning, since a start may take long: as process 1 of a container, it would not hear SIGTERM
  closeWithGrace({ delay: role.stopWithinMs, logger: undefined }, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'unexpected error; stopping')
    else log.info({ signal }, 'stopping')
    await stop()
    log.info('stopped')
  })
  try {
    const config = readConfig(role.requires)
    log = createLogger({ level: config.LOG_LEVEL, role: name })
    const listener = await loadListener(config.LISTENER_CONFIG)
    log = listener.logger?.child({ role: name }, { serializers: SERIALIZERS }) ?? log
    stop = await role.start({ listener, log })
  } catch (error) {
    explain(log, error)
    process.exit(1)
  }
}

/** A fault that has a name is a line for each that says what to mend; of any other the log keeps all there is. */
function explain(log: Logger, error: unknown): void {
  if (error instanceof ConfigError) {
    for (const fault of error.faults) log.fatal({ code: error.code }, fault)
  } else if (error instanceof ListenerError) {
    log.fatal({ code: error.code, err: error.cause }, error.message)
  } else {
    log.fatal({ err: error }, 'cannot start')
  }
}

await main(process.argv.slice(2))
