import type { SQSClient } from '@aws-sdk/client-sqs'
import type { CloudinaryClients } from '../cloudinary/clients.ts'
import type { Config } from '../config.ts'
import type { Environments } from '../credentials/environments.ts'
import type { Journal } from '../journal/journal.ts'
import type { StateStore } from '../journal/processor-state.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Listener } from '../processor.ts'
import { DeadLetters } from '../queue/dead-letters.ts'
import { MessageReceiver } from '../queue/message-receiver.ts'
import { SqsMessageSource } from '../queue/sqs-message-source.ts'
import { describeMessage, handleMessage } from './message-handler.ts'

export interface WorkerOptions {
  sqs: SQSClient
  queueUrl: string
  deadLetterQueueUrl: string
  listener: Listener
  /** Includes the variables that the processors require. */
  config: Config
  clients: CloudinaryClients
  environments: Pick<Environments, 'isOwnKey'>
  journal: Journal
  state: StateStore
  log: Logger
  metrics: Metrics
  /** Maximum number of events handled in parallel, each of another asset. */
  concurrency: number
  waitTimeSeconds?: number
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** A number from 0 up to 1. */
  random?: () => number
}

/** Creates the receiver of the worker role. It receives no events while Cloudinary is down. */
export function createWorker(options: WorkerOptions): MessageReceiver {
  const {
    sqs,
    queueUrl,
    listener,
    config,
    clients,
    environments,
    journal,
    state,
    log,
    metrics,
    clock = Date.now,
    random = Math.random
  } = options
  const deadLetters = new DeadLetters({ sqs, queueUrl: options.deadLetterQueueUrl })
  const { processors } = listener
  return new MessageReceiver({
    source: new SqsMessageSource({ sqs, queueUrl }),
    log,
    concurrency: options.concurrency,
    capacity: () => clients.capacity,
    describe: describeMessage,
    ...(options.waitTimeSeconds !== undefined && { waitTimeSeconds: options.waitTimeSeconds }),
    handle: (message, signal) =>
      handleMessage(message, signal, {
        processors,
        config,
        clients,
        environments,
        journal,
        state,
        deadLetters,
        log,
        metrics,
        clock,
        random
      })
  })
}
