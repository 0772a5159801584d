import type { SQSClient } from '@aws-sdk/client-sqs'
import type { CloudinaryClients } from '../cloudinary/clients.ts'
import type { Listener } from '../processor.ts'
import { DeadLetterSender } from '../queue/dead-letter-sender.ts'
import { MessageReceiver } from '../queue/message-receiver.ts'
import { SqsMessageSource } from '../queue/sqs-message-source.ts'
import { DeadLetterHooks } from './dead-letter-hooks.ts'
import type { EventHandlerOptions } from './event-handler.ts'
import { describeMessage, handleMessage } from './message-handler.ts'
import { PayloadCheck } from './payload-check.ts'

type HandlerOption =
  | 'config'
  | 'environments'
  | 'journal'
  | 'state'
  | 'log'
  | 'metrics'
  | 'tracing'
  | 'onFirstStart'

export interface WorkerOptions extends Pick<EventHandlerOptions, HandlerOption> {
  sqs: SQSClient
  queueUrl: string
  deadLetterQueueUrl: string
  listener: Listener
  clients: CloudinaryClients
  /** Maximum number of events handled in parallel, each of a different asset. */
  concurrency: number
  waitTimeSeconds?: number
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** A number from 0 up to 1. */
  random?: () => number
}

/** Creates the receiver of the worker role. It receives no events while Cloudinary is down. */
export function createWorker(options: WorkerOptions): MessageReceiver {
  const { sqs, queueUrl, listener, clients, log, concurrency, waitTimeSeconds } = options
  const { metrics, clock = Date.now } = options
  const { processors } = listener
  const hooks = new DeadLetterHooks({ processors, config: options.config, log })
  const handlerOptions: EventHandlerOptions = {
    ...options,
    processors,
    onDeadLetter: (event, letter) => hooks.call(event, letter),
    deadLetters: new DeadLetterSender({ sqs, queueUrl: options.deadLetterQueueUrl }),
    payloadCheck: new PayloadCheck({ metrics, clock }),
    clock,
    random: options.random ?? Math.random
  }
  return new MessageReceiver({
    source: new SqsMessageSource({ sqs, queueUrl }),
    log,
    concurrency,
    capacity: () => clients.capacity,
    describe: describeMessage,
    ...(waitTimeSeconds !== undefined && { waitTimeSeconds }),
    handle: (message, signal) => handleMessage(message, signal, handlerOptions)
  })
}
