import type { AssetEvent } from '../ingest/event.ts'
import { decodeMessage } from '../queue/message-codec.ts'
import type { MessageAction, ReceivedMessage } from '../queue/message-source.ts'
import { describeError } from './attempt-records.ts'
import { uncountedRetryDelaySeconds } from './backoff.ts'
import { type EventHandlerOptions, handleEvent } from './event-handler.ts'
import { describeEvent, type EventOutcome } from './event-report.ts'

/** Handles one message: runs the processors of its event, and returns what to do with the message. */
export async function handleMessage(
  message: ReceivedMessage,
  signal: AbortSignal,
  options: EventHandlerOptions
): Promise<MessageAction> {
  const event = decode(message)
  if (message.receiveCount === 1 && !(event instanceof Error)) reportWait(event, options)
  const action = await actOn(message, event, signal, options)
  if (action.kind === 'retry' && !(event instanceof Error)) recordAge(event, options)
  return action
}

/** Returns the fields of a log line about a message, including those of its event. */
export function describeMessage(message: ReceivedMessage): object {
  const event = decode(message)
  return { messageId: message.id, ...(!(event instanceof Error) && describeEvent(event)) }
}

function decode({ body }: ReceivedMessage): AssetEvent | Error {
  try {
    return decodeMessage(body)
  } catch (error) {
    return error as Error
  }
}

async function actOn(
  message: ReceivedMessage,
  event: AssetEvent | Error,
  signal: AbortSignal,
  options: EventHandlerOptions
): Promise<MessageAction> {
  try {
    if (event instanceof Error) return await deadLetter(message, event, options)
    const { tracing } = options
    const work = () => handleEvent(event, signal, options)
    return actionOf(await (tracing ? tracing.process(message, event, work) : work()))
  } catch (err) {
    const delaySeconds = uncountedRetryDelaySeconds(message.receiveCount, options.random())
    options.metrics.count('MessagesNotHandled', 1)
    options.log.error(
      { ...describeMessage(message), err, retryInSeconds: delaySeconds },
      'message handling failed; will be redelivered'
    )
    return { kind: 'retry', delaySeconds }
  }
}

const actionOf = (outcome: EventOutcome): MessageAction =>
  'delaySeconds' in outcome ? { kind: 'retry', delaySeconds: outcome.delaySeconds } : { kind: 'delete' }

async function deadLetter(
  { id, body }: ReceivedMessage,
  error: Error,
  { deadLetters, log, metrics }: EventHandlerOptions
): Promise<MessageAction> {
  const reason = describeError(error)
  await deadLetters.put(id, body, reason)
  metrics.count('EventsDeadLettered', 1)
  log.error({ ...reason, messageId: id }, 'message dead-lettered')
  return { kind: 'delete' }
}

/**
 * Reports how long an event waited for its first start. Ignores redrives and replays, which may come days
 * later.
 */
function reportWait({ receivedAt, run }: AssetEvent, { onFirstStart, clock }: EventHandlerOptions): void {
  if (!run) onFirstStart?.(clock() - Date.parse(receivedAt))
}

/**
 * Records the age of an event that returns to the queue. SQS excludes messages that were received repeatedly
 * from its `ApproximateAgeOfOldestMessage`.
 * Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 */
function recordAge({ receivedAt, run }: AssetEvent, { metrics, clock }: EventHandlerOptions): void {
  // a redrive or replay may come days after the receipt
  if (!run) metrics.time('RetriedEventAge', clock() - Date.parse(receivedAt))
}
