import { setTimeout as pause } from 'node:timers/promises'
import { readConfig, type VariableName } from '../config.ts'
import { Intake } from '../ingest/ingest.ts'
import { createDynamoDbClient } from '../journal/dynamodb.ts'
import { Journal } from '../journal/journal.ts'
import { StateStore } from '../journal/processor-state.ts'
import { readRequirements } from '../listener-config/requirements.ts'
import type { Logger } from '../logger.ts'
import { Poller } from '../poll/poller.ts'
import { Pollers } from '../poll/pollers.ts'
import type { Listener } from '../processor.ts'
import { Outbox } from '../queue/sender.ts'
import { probeQueue } from '../queue/sqs-client.ts'
import { Lifecycle } from '../web/lifecycle.ts'
import { buildServer } from '../web/server.ts'
import { WEBHOOK_PATH } from '../web/webhook-path.ts'
import {
  createClients,
  createEnvironments,
  createMetrics,
  createRegionalSqs,
  loadEnvironments,
  RECEIVE_MS,
  SEND_MS
} from '../wiring.ts'
import { createWorker } from '../worker/create-worker.ts'
import { startProcessors, stopProcessors } from '../worker/processor-lifecycle.ts'

/** A started role; stops without losing anything. */
export type Stop = () => Promise<void>

export interface Context {
  listener: Listener
  log: Logger
  /** Writes a line beside the log, on standard output. */
  write: (line: string) => void
}

/** Stays up until it is told to stop. */
export interface Role {
  summary: string
  /** Variables that it cannot do without. */
  requires: readonly VariableName[]
  /** How long a stop may take, in milliseconds, before the process ends all the same; ECS allows 120 s. */
  stopWithinMs: number
  start: (context: Context) => Promise<Stop>
}

const WEB_REQUIRES = ['QUEUE_URL'] as const
const POLL_REQUIRES = ['QUEUE_URL', 'POLL_CHANNEL'] as const
export const WORKER_REQUIRES = ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'JOURNAL_TABLE'] as const

/** How long the queue may take to store a notification out of a poll channel, in milliseconds. */
const STORE_MS = 8000

/** How long the worker's handlers may go on when it stops, in milliseconds. */
export const WORKER_GRACE_MS = 60_000

export const ROLES: Record<string, Role> = {
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
  },
  poll: {
    summary:
      'pulls notifications from a Cloudinary poll channel, where nothing can reach web, and stores them alike',
    requires: POLL_REQUIRES,
    stopWithinMs: 30_000,
    start: startPoll
  }
}

async function startWeb(context: Context): Promise<Stop> {
  const { log } = context
  const config = readConfig(WEB_REQUIRES)
  const metrics = createMetrics('web', config, context)
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
    metrics,
    clock: Date.now
  })
  const url = await server.listen({ port: config.PORT, host: config.HOST })
  await environments.load()
  environments.startBackgroundRefresh()
  lifecycle.state = 'ready'
  metrics.start()
  log.info({ url, webhook: `${url}${WEBHOOK_PATH}` }, 'web is ready')
  return async () => {
    lifecycle.state = 'draining'
    environments.stop()
    await server.close()
    await outbox.idle()
    metrics.stop()
    sqs.destroy()
  }
}

async function startWorker(context: Context): Promise<Stop> {
  const { listener, log } = context
  const config = readRequirements(listener.processors, readConfig(WORKER_REQUIRES))
  const metrics = createMetrics('worker', config, context)
  const sqs = await createRegionalSqs(RECEIVE_MS)
  const environments = await loadEnvironments(config, log)
  environments.startBackgroundRefresh()
  const clients = createClients(environments, log)
  metrics.gauge('BreakerOpen', () => Number(clients.isAnyStopped))
  const dynamoDb = createDynamoDbClient(config.WORKER_CONCURRENCY)
  const table = { client: dynamoDb, tableName: config.JOURNAL_TABLE }
  const worker = createWorker({
    sqs,
    queueUrl: config.QUEUE_URL,
    deadLetterQueueUrl: config.DEAD_LETTER_QUEUE_URL,
    listener,
    config,
    clients,
    environments,
    journal: new Journal(table),
    state: new StateStore(table),
    log,
    metrics,
    concurrency: config.WORKER_CONCURRENCY
  })
  await startProcessors(listener.processors, { config, log })
  worker.start()
  metrics.start()
  log.info({ processors: listener.processors.map(({ name }) => name) }, 'worker is ready')
  return async () => {
    await worker.stop(WORKER_GRACE_MS)
    await stopProcessors(listener.processors, log)
    metrics.stop()
    environments.stop()
    clients.close()
    dynamoDb.destroy()
    sqs.destroy()
  }
}

async function startPoll(context: Context): Promise<Stop> {
  const { log } = context
  const config = readConfig(POLL_REQUIRES)
  const metrics = createMetrics('poll', config, context)
  const channel = config.POLL_CHANNEL
  const sqs = await createRegionalSqs(SEND_MS)
  const outbox = new Outbox({ sqs, queueUrl: config.QUEUE_URL })
  const environments = await loadEnvironments(config, log)
  const clients = createClients(environments, log)
  metrics.gauge('BreakerOpen', () => Number(clients.isAnyStopped))
  const intake = new Intake({
    environments,
    outbox,
    // whatever its age: who could replay it cannot put it into the channel
    toleranceSeconds: Number.POSITIVE_INFINITY,
    metrics,
    clock: Date.now,
    storeTimeoutMs: STORE_MS
  })
  const pollers = new Pollers(
    (cloudName) =>
      new Poller({
        channel,
        intake,
        connect: (signal) => clients.for(cloudName, signal),
        log: log.child({ cloudName, channel }),
        metrics,
        sleep: (milliseconds, signal) => pause(milliseconds, undefined, { signal }).catch(() => {})
      })
  )
  pollers.start(environments.cloudNames())
  environments.startBackgroundRefresh(() => pollers.start(environments.cloudNames()))
  metrics.start()
  log.info({ channel, clouds: environments.cloudNames() }, 'poll is ready')
  return async () => {
    await pollers.stop()
    environments.stop()
    clients.close()
    await outbox.idle()
    metrics.stop()
    sqs.destroy()
  }
}
