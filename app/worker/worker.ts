import type { SQSClient } from '@aws-sdk/client-sqs'
import type { CloudinaryClient } from '../cloudinary/client.ts'
import type { AssetEvent } from '../cloudinary/event.ts'
import type { Listener } from '../listener.ts'
import type { Logger } from '../logger.ts'
import { type Disposition, Inbox, type ReceivedMessage } from '../queue/inbox.ts'
import { decodeMessage } from '../queue/message.ts'
import { limitDelaySeconds, retryDelaySeconds } from './backoff.ts'
import { type Run, run, select } from './dispatch.ts'

export interface WorkerOptions {
  sqs: SQSClient
  queueUrl: string
  listener: Listener
  cloudinary: (cloudName: string, signal: AbortSignal) => CloudinaryClient
  log: Logger
  /** Events in flight. */
  concurrency: number
  waitTimeSeconds?: number
  clock?: () => number
  random?: () => number
}

/** The worker role: receives events and runs the processors. */
export function createWorker(options: WorkerOptions): Inbox {
  const { sqs, queueUrl, log, concurrency, waitTimeSeconds } = options
  return new Inbox({
    sqs,
    queueUrl,
    log,
    concurrency,
    ...(waitTimeSeconds !== undefined && { waitTimeSeconds }),
    handle: (message, signal) => handle(message, signal, options)
  })
}

async function handle(
  message: ReceivedMessage,
  signal: AbortSignal,
  options: WorkerOptions
): Promise<Disposition> {
  const { listener, random = Math.random } = options
  let event: AssetEvent
  try {
    event = decodeMessage(message.body)
  } catch (err) {
    // SQS moves it to the dead-letter queue when it has been received too often
    options.log.error({ err, messageId: message.id }, 'unreadable message')
    return { kind: 'retry', delaySeconds: retryDelaySeconds(message.receiveCount, random()) }
  }
  const log = options.log.child({
    eventId: event.id,
    type: event.type,
    environment: event.environment,
    ...(event.asset && { asset: event.asset.publicId ?? event.asset.assetId }),
    ...(event.traceId && { traceId: event.traceId })
  })
  const selection = select(event, listener.processors)
  if (selection.outcome === 'ignored') {
    log.info({ outcome: 'ignored', reason: selection.reason }, 'event ignored')
    return { kind: 'delete' }
  }
  const runs: Run[] = []
  for (const processor of selection.processors) {
    const cloudinary = (s: AbortSignal) => options.cloudinary(event.environment, s)
    runs.push(await run(processor, event, { cloudinary, log, signal }))
  }
  return conclude(event, runs, message, { ...options, log })
}

/** Logs how the runs of an event ended, and says what becomes of its message. */
function conclude(
  event: AssetEvent,
  runs: readonly Run[],
  message: ReceivedMessage,
  { log, clock = Date.now, random = Math.random }: WorkerOptions
): Disposition {
  let delaySeconds = 0
  for (const each of runs) {
    const { processor, outcome, milliseconds } = each
    if (each.outcome === 'succeeded') {
      log.info({ processor, outcome, note: each.note, milliseconds }, 'event processed')
      continue
    }
    const delay =
      each.fault.kind === 'rate-limited'
        ? limitDelaySeconds(each.fault.until, clock(), random())
        : retryDelaySeconds(message.receiveCount, random())
    log.warn(
      { processor, outcome, fault: each.fault.kind, err: each.error, milliseconds, retryInSeconds: delay },
      'event failed; it will be tried again'
    )
    delaySeconds = Math.max(delaySeconds, delay)
  }
  if (delaySeconds > 0) return { kind: 'retry', delaySeconds }
  log.debug({ endToEndMs: clock() - Date.parse(event.receivedAt) }, 'event done')
  return { kind: 'delete' }
}
