import { randomBytes } from 'node:crypto'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import closeWithGrace from 'close-with-grace'
import { CloudinaryClients } from './cloudinary/client.ts'
import { Environments } from './cloudinary/environments.ts'
import { fromSecretsManager, fromUrl } from './cloudinary/secret-source.ts'
import {
  ConfigError,
  type Credentials,
  credentialSource,
  inspectConfig,
  readConfig,
  type VariableName
} from './config.ts'
import { ListenerError } from './errors.ts'
import { createDynamoDbClient } from './journal/dynamodb.ts'
import { Journal } from './journal/journal.ts'
import { type Listener, loadListener } from './listener.ts'
import { createLogger, type Logger, SERIALIZERS } from './logger.ts'
import { type Print, readArguments } from './operator/arguments.ts'
import { clock, timeServers } from './operator/checks/clock.ts'
import { cloudinary } from './operator/checks/cloudinary.ts'
import { configuration } from './operator/checks/configuration.ts'
import { credentials } from './operator/checks/credentials.ts'
import { processors } from './operator/checks/processors.ts'
import { deadLetterQueue, queue } from './operator/checks/queues.ts'
import { table } from './operator/checks/table.ts'
import { type Command, runCommand } from './operator/command.ts'
import { type Check, DOCTOR_USAGE, doctor } from './operator/doctor.ts'
import { Letters } from './operator/letters.ts'
import { parseRedrive, REDRIVE_USAGE, redrive } from './operator/redrive.ts'
import { parseReplay, REPLAY_USAGE, replay } from './operator/replay.ts'
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

/** A call of `doctor` may take so long in one of three tries, in milliseconds. */
const PROBE_MS = 1500

/** Commands print for people. */
const QUIET = createLogger({ level: 'silent', role: 'command' })

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

const COMMANDS: Record<string, Command> = {
  redrive: {
    summary: 'moves dead letters back to the queue, once what they died of is mended',
    usage: REDRIVE_USAGE,
    run: runRedrive
  },
  replay: {
    summary: 'runs events again that the journal knows',
    usage: REPLAY_USAGE,
    run: runReplay
  },
  doctor: {
    summary: 'checks configuration, credentials, queues, table, Cloudinary and clock',
    usage: DOCTOR_USAGE,
    run: runDoctor
  }
}

const list = (entries: Record<string, { summary: string }>) =>
  Object.entries(entries)
    .map(([name, { summary }]) => `  ${name.padEnd(8)} ${summary}`)
    .join('\n')

const USAGE = `Usage: node app/main.ts ROLE
       node app/main.ts COMMAND [--help] …

Roles, which stay up:
${list(ROLES)}

Commands, which run and exit:
${list(COMMANDS)}

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
  const sqs = await createRegionalSqs(RECEIVE_MS)
  const environments = await loadEnvironments(config, log)
  environments.startBackgroundRefresh()
  const clients = createClients(environments, log)
  const dynamoDb = createDynamoDbClient(config.WORKER_CONCURRENCY)
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

async function runRedrive(args: string[], print: Print): Promise<number> {
  const selection = parseRedrive(args)
  const config = readConfig(['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL'])
  const sqs = await createRegionalSqs(RECEIVE_MS)
  const interrupted = new AbortController()
  // once: a second Ctrl-C ends it at once
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort())
  return redrive(selection, {
    letters: new Letters({ sqs, queueUrl: config.DEAD_LETTER_QUEUE_URL, log: QUIET }),
    outbox: new Outbox({ sqs, queueUrl: config.QUEUE_URL }),
    print,
    runId: newRunId(),
    signal: interrupted.signal,
    clock: Date.now
  })
}

async function runReplay(args: string[], print: Print): Promise<number> {
  const events = parseReplay(args)
  const config = readConfig(['QUEUE_URL', 'JOURNAL_TABLE'])
  const sqs = await createRegionalSqs(SEND_MS)
  return replay(events, {
    journal: new Journal({ client: createDynamoDbClient(), tableName: config.JOURNAL_TABLE, log: QUIET }),
    outbox: new Outbox({ sqs, queueUrl: config.QUEUE_URL }),
    print,
    runId: newRunId()
  })
}

async function runDoctor(args: string[], print: Print): Promise<number> {
  readArguments({ args })
  const { config, faults } = inspectConfig(WORKER_REQUIRES)
  const { QUEUE_URL, DEAD_LETTER_QUEUE_URL, JOURNAL_TABLE, LISTENER_CONFIG } = config
  const sqs = createSqsClient(PROBE_MS)
  const region = await sqs.config.region().catch(() => undefined)
  const areNamed = !faults.some(({ name }) => name.startsWith('CLOUDINARY_'))
  const environments = areNamed ? loadEnvironments(config, QUIET) : undefined
  environments?.catch(() => {}) // its check says why
  // what has a bad variable is left out: the first line says what to mend
  const ofAws: Check[] = [
    ...(QUEUE_URL ? [queue({ sqs, queueUrl: QUEUE_URL, deadLetterQueueUrl: DEAD_LETTER_QUEUE_URL })] : []),
    ...(DEAD_LETTER_QUEUE_URL ? [deadLetterQueue({ sqs, queueUrl: DEAD_LETTER_QUEUE_URL })] : []),
    ...(JOURNAL_TABLE ? [table({ client: createDynamoDbClient(), tableName: JOURNAL_TABLE })] : [])
  ]
  return doctor({
    print,
    checks: [
      configuration({ faults: faults.map(({ line }) => line), region }),
      ...(environments ? [credentials({ environments })] : []),
      ...(LISTENER_CONFIG ? [processors({ path: LISTENER_CONFIG, load: loadListener })] : []),
      ...(region ? ofAws : []),
      ...(environments
        ? [cloudinary({ environments, connect: (known) => createClients(known, QUIET) })]
        : []),
      clock({ servers: () => timeServers({ queueUrl: QUEUE_URL, environments }), fetch, clock: Date.now })
    ]
  })
}

/** Hexadecimal; it becomes part of deduplication ids. */
const newRunId = () => randomBytes(4).toString('hex')

function createClients(environments: Environments, log: Logger): CloudinaryClients {
  return new CloudinaryClients({
    environments,
    uploadPrefix: environments.verificationKeys()[0]?.uploadPrefix,
    onChange: (cloudName, state) => {
      if (state.open) log.error({ cloudName, ...state }, 'Cloudinary is down or limits calls; events wait')
      else log.info({ cloudName, ...state }, 'Cloudinary is back; events go on')
    }
  })
}

async function loadEnvironments(config: Credentials, log: Logger): Promise<Environments> {
  const environments = createEnvironments(config, log)
  await environments.load()
  return environments
}

function createEnvironments(config: Credentials, log: Logger): Environments {
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

async function main([name = '', ...args]: readonly string[]): Promise<void> {
  const role = Object.hasOwn(ROLES, name) ? ROLES[name] : undefined
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  const usage = command?.usage ?? USAGE
  if ([name, ...args].some((arg) => arg === '--help' || arg === '-h')) {
    process.stdout.write(usage)
  } else if (command) {
    await runAndExit(command, args)
  } else if (role && args.length === 0) {
    await startRole(name, role)
  } else {
    process.stderr.write(usage)
    process.exitCode = 2
  }
}

async function runAndExit(command: Command, args: string[]): Promise<void> {
  // whoever reads may have seen enough (`… | head`); what was begun is ended all the same
  process.stdout.on('error', () => {})
  const exitCode = await runCommand(command, args, {
    print: (line) => process.stdout.write(`${line}\n`),
    printError: (line) => process.stderr.write(`${line}\n`)
  })
  // what was loaded may keep connections open; what was printed is written first
  process.stdout.write('', () => process.exit(exitCode))
}

async function startRole(name: string, role: Role): Promise<void> {
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
