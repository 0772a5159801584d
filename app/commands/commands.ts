import { changes } from '../changes/change-feed.ts'
import { inspectConfig, readConfig } from '../config.ts'
import { connect } from '../connect.ts'
import { createDynamoDbClient } from '../journal/dynamodb.ts'
import { Journal } from '../journal/journal.ts'
import { StateStore } from '../journal/processor-state.ts'
import { loadListener } from '../listener-config/load-listener.ts'
import { createLogger } from '../logger.ts'
import { Outbox } from '../queue/sender.ts'
import { createSqsClient, messagesIn } from '../queue/sqs-client.ts'
import { WORKER_REQUIRES } from '../roles/roles.ts'
import {
  createClients,
  createRegionalSqs,
  loadEnvironments,
  newRunId,
  RECEIVE_MS,
  SEND_MS
} from '../wiring.ts'
import { type Print, readArguments } from './arguments.ts'
import { CHANGES_USAGE, parseChanges, printChanges, stampField } from './changes/changes-command.ts'
import { cursorFile } from './changes/cursor-file.ts'
import type { Command, Output } from './command.ts'
import { diagnosis } from './doctor/diagnosis.ts'
import { DOCTOR_USAGE, doctor } from './doctor/doctor.ts'
import { MIGRATE_USAGE, migrate, parseMigrate } from './migrate.ts'
import { parseReconcile, RECONCILE_USAGE, reconcile } from './reconcile/reconcile.ts'
import { Letters } from './redrive/dead-letter-reader.ts'
import { parseRedrive, REDRIVE_USAGE, redrive } from './redrive/redrive.ts'
import { parseReplay, REPLAY_USAGE, replay } from './replay.ts'
import { parseSetup, SETUP_USAGE, setup } from './setup/setup.ts'

/** A call of `doctor` may take so long in one of three tries, in milliseconds. */
const PROBE_MS = 1500

/** Commands print for people. */
const QUIET = createLogger({ level: 'silent', role: 'command' })

export const COMMANDS: Record<string, Command> = {
  setup: {
    summary: 'creates in Cloudinary the metadata fields and triggers that the processors need',
    usage: SETUP_USAGE,
    run: runSetup
  },
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
  changes: {
    summary: 'prints assets that changed, one JSON object a line',
    usage: CHANGES_USAGE,
    run: runChanges
  },
  reconcile: {
    summary: 'finds with the Search API what Cloudinary gave up sending',
    usage: RECONCILE_USAGE,
    run: runReconcile
  },
  migrate: {
    summary: 'creates, or brings up to date, what processors keep in a database',
    usage: MIGRATE_USAGE,
    run: runMigrate
  },
  doctor: {
    summary: 'checks what the listener needs, and says which part is at fault',
    usage: DOCTOR_USAGE,
    run: runDoctor
  }
}

async function runSetup(args: string[], print: Print): Promise<number> {
  const config = readConfig()
  const selection = parseSetup(args, config.WEBHOOK_URL)
  const { processors } = await loadListener(config.LISTENER_CONFIG)
  const environments = await loadEnvironments(config, QUIET)
  const clients = createClients(environments, QUIET)
  const signal = interruption()
  return setup(selection, {
    processors,
    cloudNames: environments.cloudNames(),
    connect: (cloudName) => clients.for(cloudName, signal),
    print
  }).finally(() => clients.close())
}

async function runRedrive(args: string[], print: Print): Promise<number> {
  const selection = parseRedrive(args)
  const config = readConfig(['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL'])
  const sqs = await createRegionalSqs(RECEIVE_MS)
  return redrive(selection, {
    letters: new Letters({ sqs, queueUrl: config.DEAD_LETTER_QUEUE_URL, log: QUIET }),
    outbox: new Outbox({ sqs, queueUrl: config.QUEUE_URL }),
    print,
    runId: newRunId(),
    signal: interruption(),
    clock: Date.now
  })
}

async function runReplay(args: string[], print: Print): Promise<number> {
  const events = parseReplay(args)
  const config = readConfig(['QUEUE_URL', 'JOURNAL_TABLE'])
  const sqs = await createRegionalSqs(SEND_MS)
  return replay(events, {
    journal: new Journal({ client: createDynamoDbClient(), tableName: config.JOURNAL_TABLE }),
    outbox: new Outbox({ sqs, queueUrl: config.QUEUE_URL }),
    print,
    runId: newRunId()
  })
}

async function runChanges(args: string[], print: Print, output: Output): Promise<number> {
  const selection = parseChanges(args)
  const config = readConfig()
  const field = selection.field ?? stampField((await loadListener(config.LISTENER_CONFIG)).processors)
  const { client } = await connect({ cloudName: selection.environment, signal: interruption() })
  return printChanges(selection, {
    open: (options) => changes(client, options),
    field,
    print,
    file: cursorFile,
    ...output
  })
}

async function runReconcile(args: string[], print: Print): Promise<number> {
  const request = parseReconcile(args)
  const config = readConfig(['QUEUE_URL', 'JOURNAL_TABLE'])
  const sqs = await createRegionalSqs(SEND_MS)
  const environments = await loadEnvironments(config, QUIET)
  const table = { client: createDynamoDbClient(), tableName: config.JOURNAL_TABLE }
  return reconcile(request, {
    environments,
    clients: createClients(environments, QUIET),
    table,
    state: new StateStore(table),
    outbox: new Outbox({ sqs, queueUrl: config.QUEUE_URL }),
    waiting: () => messagesIn(sqs, config.QUEUE_URL),
    print,
    signal: interruption(),
    clock: Date.now
  })
}

async function runMigrate(args: string[], print: Print): Promise<number> {
  const { dryRun } = parseMigrate(args)
  const config = readConfig()
  const listener = await loadListener(config.LISTENER_CONFIG)
  return migrate({ listener, config, log: QUIET, print, dryRun })
}

async function runDoctor(args: string[], print: Print): Promise<number> {
  readArguments({ args })
  const { config, faults } = inspectConfig(WORKER_REQUIRES)
  const sqs = createSqsClient(PROBE_MS)
  const areNamed = !faults.some(({ name }) => name.startsWith('CLOUDINARY_'))
  const environments = areNamed ? loadEnvironments(config, QUIET) : undefined
  environments?.catch(() => {}) // its check says why
  const checks = diagnosis({
    config,
    faults: faults.map(({ line }) => line),
    region: await sqs.config.region().catch(() => undefined),
    sqs,
    dynamoDb: () => createDynamoDbClient(),
    environments,
    connect: (known) => createClients(known, QUIET),
    load: loadListener,
    log: QUIET
  })
  return doctor({ checks, print })
}

/** Aborts at the first Ctrl-C; a second one ends the process at once. */
function interruption(): AbortSignal {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => interrupted.abort())
  return interrupted.signal
}
