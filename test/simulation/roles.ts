import { setTimeout as sleep } from 'node:timers/promises'
import { RepairRunner } from '../../app/activity/repair-runner.ts'
import { CloudinaryClients } from '../../app/cloudinary/clients.ts'
import { CHANGE_KINDS } from '../../app/commands/reconcile/change-kinds.ts'
import { reconcile } from '../../app/commands/reconcile/reconcile.ts'
import { moveDeadLetters } from '../../app/commands/redrive/move-dead-letters.ts'
import { replay } from '../../app/commands/replay.ts'
import { type Config, readConfig } from '../../app/config.ts'
import { Environments } from '../../app/credentials/environments.ts'
import { fromSecretsManager } from '../../app/credentials/secret-source.ts'
import { Ingest } from '../../app/ingest/ingest.ts'
import { createActivityStore } from '../../app/journal/activity-reader.ts'
import { discardEvent } from '../../app/journal/discard-event.ts'
import { Journal } from '../../app/journal/journal.ts'
import { JournalReader } from '../../app/journal/journal-reader.ts'
import { StateStore } from '../../app/journal/processor-state.ts'
import { RepairItems } from '../../app/journal/repair-items.ts'
import type { Logger } from '../../app/logger.ts'
import { NO_METRICS } from '../../app/metrics/metrics.ts'
import { Poller } from '../../app/poll/poller.ts'
import { Pollers } from '../../app/poll/pollers.ts'
import { DeadLetterReader } from '../../app/queue/dead-letter-reader.ts'
import { EventSender } from '../../app/queue/event-sender.ts'
import { messagesIn } from '../../app/queue/sqs-client.ts'
import { newRunId } from '../../app/wiring.ts'
import { createWorker } from '../../app/worker/create-worker.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { Delivery } from './models/delivery.ts'
import type { DynamoDbModel } from './models/dynamodb.ts'
import type { SecretModel } from './models/secrets.ts'
import { sqsClient } from './models/sqs-client.ts'
import type { SqsQueue } from './models/sqs-queue.ts'
import type { Network } from './network.ts'
import type { CommandPlan, Plan } from './plan.ts'
import { processorsOf } from './processors.ts'
import type { Scheduler, SimulatedProcess } from './scheduler.ts'

/** The outside of the listener, as all its processes reach it. */
export interface Surroundings {
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

/** A role that runs. */
export interface RunningRole {
  /** Receives a notification over HTTP, and answers a status. */
  receive?: (delivery: Delivery) => Promise<number>
  stop: () => Promise<void>
  /** Bytes of events that it holds. */
  pendingBytes: () => number
}

const QUEUE_URL = 'queue'
const DEAD_LETTER_QUEUE_URL = 'dead-letters'
const TOLERANCE_SECONDS = 7200
const STATUS = { accepted: 200, refused: 401, unavailable: 503 }

const CONFIG = readConfig([], { CLOUDINARY_URL: 'cloudinary://key:secret@cloud' }) as Config

function partsOf({ scheduler, network, ledger, queue, deadLetterQueue, dynamoDb, secret }: Surroundings) {
  const log = logOf(ledger)
  const sqs = sqsClient(network, scheduler, { [QUEUE_URL]: queue, [DEAD_LETTER_QUEUE_URL]: deadLetterQueue })
  const table = { client: dynamoDb.client(network), tableName: 'journal' }
  const environments = new Environments({
    log,
    source: fromSecretsManager(secret.client(network), 'secret', { log, timeoutMs: 6000 })
  })
  const clients = new CloudinaryClients({
    environments,
    onChange: (cloud, state) =>
      ledger.tell(`the circuit breaker of ${cloud} ${state.open ? 'opens' : 'closes'}`)
  })
  return { log, sqs, table, environments, clients, sender: new EventSender({ sqs, queueUrl: QUEUE_URL }) }
}

/** Wires the parts of a web task like `app/roles/web.ts`, without HTTP. */
async function startWeb(surroundings: Surroundings): Promise<RunningRole> {
  const { environments, sender } = partsOf(surroundings)
  const { ledger, queue } = surroundings
  await environments.load()
  environments.startBackgroundRefresh()
  const ingest = new Ingest({
    environments,
    sender,
    metrics: NO_METRICS,
    role: 'web',
    toleranceSeconds: TOLERANCE_SECONDS,
    clock: Date.now
  })
  return {
    async receive({ body, signature, timestamp }) {
      const outcome = await ingest.receive({ body, headers: { signature, timestamp } })
      ledger.tell(`answers ${outcome.outcome}`)
      if (outcome.outcome === 'accepted') checkStored(outcome, body, queue, ledger)
      return STATUS[outcome.outcome]
    },
    async stop() {
      environments.stop()
      await sender.idle()
    },
    pendingBytes: () => sender.pendingBytes
  }
}

/** Guarantees 1 and 3, at the moment of the answer. */
function checkStored(
  { summary, events }: { summary: { ids: string[] }; events: number },
  body: Buffer,
  queue: SqsQueue,
  ledger: Ledger
): void {
  const missing = summary.ids.find((id) => !queue.everStored.has(id))
  if (missing)
    ledger.violated(
      '1 stored, then acknowledged',
      `event ${missing} is acknowledged, and SQS does not have it`
    )
  const { resources = [0] } = JSON.parse(body.toString()) as { resources?: object }
  const assets = Object.keys(resources).length
  if (events !== assets) ledger.violated('3 one event per asset', `${events} events of ${assets} assets`)
}

/** Wires the parts of a worker like `app/roles/worker.ts`. */
async function startWorker(surroundings: Surroundings, process: SimulatedProcess): Promise<RunningRole> {
  const parts = partsOf(surroundings)
  const { environments, clients, log, sqs, table } = parts
  const { plan, ledger, crash } = surroundings
  await environments.load()
  environments.startBackgroundRefresh()
  const receiver = createWorker({
    sqs,
    queueUrl: QUEUE_URL,
    deadLetterQueueUrl: DEAD_LETTER_QUEUE_URL,
    listener: { processors: processorsOf({ plan, ledger, process, crash: () => crash(process) }) },
    config: CONFIG,
    clients,
    environments: { isOwnKey: (cloudName, apiKey) => environments.recognizesKey(cloudName, apiKey) },
    journal: new Journal(table),
    state: new StateStore(table),
    log,
    metrics: NO_METRICS,
    concurrency: plan.concurrency,
    waitTimeSeconds: plan.waitSeconds
  })
  receiver.start()
  return {
    async stop() {
      await receiver.stop(60_000)
      environments.stop()
    },
    pendingBytes: () => 0
  }
}

/** Wires the parts of the poll role like `app/roles/poll.ts`. */
async function startPoll(surroundings: Surroundings): Promise<RunningRole> {
  const { environments, sender, clients, log } = partsOf(surroundings)
  await environments.load()
  const ingest = new Ingest({
    environments,
    sender: {
      // the poller acknowledges what this stores
      store: (events, signal) =>
        sender.store(events, signal).then(() => {
          const missing = events.find(({ id }) => !surroundings.queue.everStored.has(id))
          if (missing)
            surroundings.ledger.violated('1 stored, then acknowledged', `event ${missing.id} is not in SQS`)
        })
    },
    toleranceSeconds: Number.POSITIVE_INFINITY,
    metrics: NO_METRICS,
    role: 'poll',
    clock: Date.now
  })
  const polled = surroundings.plan.clouds
    .filter(({ delivery }) => delivery === 'poll')
    .map(({ name }) => name)
  const pollers = new Pollers(
    (cloudName) =>
      new Poller({
        channel: 'channel',
        ingest,
        connect: (signal) => clients.for(cloudName, signal),
        log,
        metrics: NO_METRICS,
        sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal }).catch(() => {})
      })
  )
  pollers.start(polled)
  environments.startBackgroundRefresh()
  return {
    async stop() {
      await pollers.stop()
      environments.stop()
      await sender.idle()
    },
    pendingBytes: () => sender.pendingBytes
  }
}

/** Starts the role that a process is named after. */
export function startRole(process: SimulatedProcess, surroundings: Surroundings): Promise<RunningRole> {
  if (process.name.startsWith('web')) return startWeb(surroundings)
  return process.name.startsWith('poll') ? startPoll(surroundings) : startWorker(surroundings, process)
}

/** Runs an operator's command to its end. `ids`: events that the journal may know. */
export async function runCommand(
  kind: CommandPlan['kind'],
  ids: readonly string[],
  surroundings: Surroundings
): Promise<void> {
  const { environments, clients, log, sqs, table, sender } = partsOf(surroundings)
  const { ledger } = surroundings
  const origin = { by: 'operator', at: new Date(Date.now()).toISOString(), from: 'command' as const }
  const never = new AbortController().signal
  const print = (line: string) => ledger.tell(line)
  switch (kind) {
    case 'redrive':
      await moveDeadLetters(
        { ids: [], types: [], dryRun: false },
        {
          reader: new DeadLetterReader({ sqs, queueUrl: DEAD_LETTER_QUEUE_URL, log }),
          sender,
          print,
          runId: newRunId(),
          origin,
          signal: never,
          clock: Date.now
        }
      )
      return
    case 'replay':
      await replay(
        { ids, dryRun: false },
        { journal: new JournalReader(table), sender, print, runId: newRunId(), origin }
      )
      return
    case 'reconcile':
      await environments.load()
      await reconcile(
        { since: undefined, kinds: CHANGE_KINDS, cloudNames: undefined, graceMs: 45 * 60_000, dryRun: false },
        {
          environments,
          clients,
          table,
          state: new StateStore(table),
          sender,
          waiting: () => messagesIn(sqs, QUEUE_URL),
          print,
          signal: never,
          pageSize: 3,
          clock: Date.now
        }
      )
      return
    default: {
      const runner = new RepairRunner({
        store: createActivityStore({ ...table, budget: { events: 2000, milliseconds: 1e9 } }),
        repairs: new RepairItems(table),
        journal: new JournalReader(table),
        discardEvent: (id, discard) => discardEvent(table, id, discard),
        sender,
        deadLetters: {
          open: () => new DeadLetterReader({ sqs, queueUrl: DEAD_LETTER_QUEUE_URL, log }),
          count: () => messagesIn(sqs, DEAD_LETTER_QUEUE_URL)
        },
        log,
        clock: Date.now,
        newRunId
      })
      const action =
        kind === 'discard'
          ? ({ kind: 'discard', reason: 'the asset is not needed' } as const)
          : ({ kind: 'replay', failedOnly: kind === 'repair failed' } as const)
      const selection = kind === 'repair all' ? { ids } : { filter: { status: ['dead' as const] } }
      const { id } = await runner.start({ ...action, selection, by: 'operator', from: 'page' }, never)
      while ((await runner.find(id))?.state === 'running') await sleep(500)
      await runner.stop()
    }
  }
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
