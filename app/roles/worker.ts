import { createDynamoDbClient } from '../journal/dynamodb.ts'
import { Journal } from '../journal/journal.ts'
import { StateStore } from '../journal/processor-state.ts'
import { readRequirements } from '../listener-config/requirements.ts'
import { QueueSamples } from '../queue/queue-samples.ts'
import { createClients, createRegionalSqs, loadEnvironments, RECEIVE_MS } from '../wiring.ts'
import { createWorker } from '../worker/create-worker.ts'
import { startProcessors, stopProcessors } from '../worker/processor-lifecycle.ts'
import { defineRole } from './role.ts'

export const WORKER_REQUIRES = ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'JOURNAL_TABLE'] as const

/** Maximum time for running processors to finish when the worker stops, in milliseconds. */
export const WORKER_GRACE_MS = 60_000

export const worker = defineRole({
  requires: WORKER_REQUIRES,
  stopWithinMs: 100_000,
  async start({ config: ownConfig, listener, log, metrics, activity, tracing }) {
    const config = readRequirements(listener.processors, ownConfig)
    const sqs = await createRegionalSqs(RECEIVE_MS)
    const environments = await loadEnvironments(config, log)
    environments.startBackgroundRefresh()
    const clients = createClients(environments, log, tracing)
    metrics.gauge('BreakerOpen', () => Number(clients.isAnyBreakerOpen))
    const dynamoDb = createDynamoDbClient(config.WORKER_CONCURRENCY, tracing)
    const table = { client: dynamoDb, tableName: config.JOURNAL_TABLE }
    const samples =
      activity &&
      new QueueSamples({
        sqs,
        queueUrl: config.QUEUE_URL,
        deadLetterQueueUrl: config.DEAD_LETTER_QUEUE_URL,
        isBreakerOpen: () => clients.isAnyBreakerOpen,
        put: (sample) => activity.putQueue(sample),
        log,
        clock: Date.now
      })
    const receiver = createWorker({
      sqs,
      queueUrl: config.QUEUE_URL,
      deadLetterQueueUrl: config.DEAD_LETTER_QUEUE_URL,
      listener,
      config,
      clients,
      environments: { isOwnKey: (cloudName, apiKey) => environments.recognizesKey(cloudName, apiKey) },
      journal: new Journal(table),
      state: new StateStore(table),
      log,
      metrics,
      tracing,
      onFirstStart: (waitedMs) => samples?.started(waitedMs),
      concurrency: config.WORKER_CONCURRENCY
    })
    metrics.gauge('ConcurrencyUsed', () => (100 * receiver.groupsInProgress) / config.WORKER_CONCURRENCY)
    await startProcessors(listener.processors, { config, log })
    receiver.start()
    samples?.start()
    log.info({ processors: listener.processors.map(({ name }) => name) }, 'worker is ready')
    return async () => {
      await Promise.all([receiver.stop(WORKER_GRACE_MS), samples?.stop()])
      await stopProcessors(listener.processors, log)
      environments.stop()
      clients.close()
      dynamoDb.destroy()
      sqs.destroy()
    }
  }
})
