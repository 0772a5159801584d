import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, readConfig } from '../../app/config.ts'
import { Ingest } from '../../app/ingest/ingest.ts'
import { Journal } from '../../app/journal/journal.ts'
import { StateStore } from '../../app/journal/processor-state.ts'
import { NO_METRICS } from '../../app/metrics/metrics.ts'
import { Poller } from '../../app/poll/poller.ts'
import { Pollers } from '../../app/poll/pollers.ts'
import { createWorker } from '../../app/worker/create-worker.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { Delivery } from './models/delivery.ts'
import type { SqsQueue } from './models/sqs-queue.ts'
import { DEAD_LETTER_QUEUE_URL, type Dependencies, partsOf, QUEUE_URL } from './parts.ts'
import { processorsOf } from './processors.ts'
import { GRACE_MS, type SimulatedProcess } from './scheduler.ts'

/** A role that runs. */
export interface RunningRole {
  /** Receives a notification over HTTP. Returns the response status. */
  receive?: (delivery: Delivery) => Promise<number>
  stop: () => Promise<void>
  /** Bytes of events that it holds. */
  pendingBytes: () => number
}

const TOLERANCE_SECONDS = 7200
const STATUS = { accepted: 200, refused: 401, unavailable: 503 }

const CONFIG = readConfig([], { CLOUDINARY_URL: 'cloudinary://key:secret@cloud' }) as Config

/** Wires the parts of a web task like `app/roles/web.ts`, without HTTP. */
async function startWeb(dependencies: Dependencies): Promise<RunningRole> {
  const { environments, sender } = partsOf(dependencies)
  const { ledger, queue } = dependencies
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
async function startWorker(dependencies: Dependencies, process: SimulatedProcess): Promise<RunningRole> {
  const parts = partsOf(dependencies)
  const { environments, clients, log, sqs, table } = parts
  const { plan, ledger, crash } = dependencies
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
      await receiver.stop(GRACE_MS)
      environments.stop()
    },
    pendingBytes: () => 0
  }
}

/** Wires the parts of the poll role like `app/roles/poll.ts`. */
async function startPoll(dependencies: Dependencies): Promise<RunningRole> {
  const { environments, sender, clients, log } = partsOf(dependencies)
  await environments.load()
  const ingest = new Ingest({
    environments,
    sender: {
      // the poller acknowledges what this stores
      store: (events, signal) =>
        sender.store(events, signal).then(() => {
          const missing = events.find(({ id }) => !dependencies.queue.everStored.has(id))
          if (missing)
            dependencies.ledger.violated('1 stored, then acknowledged', `event ${missing.id} is not in SQS`)
        })
    },
    toleranceSeconds: Number.POSITIVE_INFINITY,
    metrics: NO_METRICS,
    role: 'poll',
    clock: Date.now
  })
  const polled = dependencies.plan.clouds
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
export function startRole(process: SimulatedProcess, dependencies: Dependencies): Promise<RunningRole> {
  if (process.name.startsWith('web')) return startWeb(dependencies)
  return process.name.startsWith('poll') ? startPoll(dependencies) : startWorker(dependencies, process)
}
