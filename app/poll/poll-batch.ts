import type { PollMessage } from '../cloudinary/poll-channel.ts'
import type { Ingest, IngestOutcome } from '../ingest/ingest.ts'
import type { Logger } from '../logger.ts'
import type { Tracing } from '../tracing/tracing.ts'
import { fingerprintOf, type RefusedMessages } from './refused-messages.ts'

export interface BatchOptions {
  ingest: Pick<Ingest, 'receive'>
  refusedMessages: RefusedMessages
  /** Name of the poll channel. */
  channel: string
  log: Logger
  tracing?: Tracing | undefined
  /** No more messages are handled after it aborts, or after `until` by `elapsedMs`. They are redelivered. */
  signal: AbortSignal
  until: number
  /** Monotonic clock, in milliseconds. */
  elapsedMs: () => number
}

export interface BatchResult {
  /** Receipt handles of the completed messages. */
  receiptHandles: string[]
  /** Number of completed messages without a receipt handle. They are redelivered. */
  withoutHandle: number
  /** Set if the queue failed to store and the batch was aborted. */
  error?: unknown
}

const NOT_STORED = 'notification not stored; left in channel'

/**
 * Ingests messages sequentially, in the order of the channel. Stops at a message that the queue does not
 * store, to keep the order.
 */
export async function ingestBatch(
  messages: readonly PollMessage[],
  options: BatchOptions
): Promise<BatchResult> {
  const { ingest, channel, tracing, signal, until, elapsedMs } = options
  const receiptHandles: string[] = []
  let withoutHandle = 0
  for (const message of messages) {
    const startedAt = elapsedMs()
    if (signal.aborted || startedAt >= until) break
    // all deliveries of a message have the same trace id
    const traceId = `Poll=${fingerprintOf(message)}`
    const span = tracing?.receive({ kind: 'poll', channel, startedAt: Date.now(), traceId })
    let outcome: IngestOutcome
    try {
      outcome = await ingest.receive({
        body: Buffer.from(message.signed_payload ?? '', 'base64url'),
        headers: { signature: message.signature, timestamp: message.timestamp },
        traceId,
        span
      })
    } catch (err) {
      // a bug that one message triggers must not affect the others
      options.log.error({ err, traceId, code: 'INTERNAL' }, NOT_STORED)
      continue
    }
    span?.end(outcome)
    const milliseconds = Math.round(elapsedMs() - startedAt)
    const isComplete = finish(message, outcome, { traceId, milliseconds }, options)
    if (isComplete && message.receipt_handle !== undefined) receiptHandles.push(message.receipt_handle)
    else if (isComplete) withoutHandle++
    if (outcome.outcome === 'unavailable') return { receiptHandles, withoutHandle, error: outcome.error }
  }
  return { receiptHandles, withoutHandle }
}

/** Logs one line without payload and signature. Returns whether the message may be acknowledged. */
function finish(
  message: PollMessage,
  outcome: IngestOutcome,
  delivery: { traceId: string; milliseconds: number },
  { log, refusedMessages }: BatchOptions
): boolean {
  const line = { ...outcome.summary, outcome: outcome.outcome, ...delivery }
  switch (outcome.outcome) {
    case 'accepted':
      refusedMessages.forget(message)
      log.info({ ...line, events: outcome.events }, 'notification accepted')
      return true
    case 'refused': {
      const { code, reason } = outcome
      // an event that is too large can never be stored
      const state = code === 'EVENT_TOO_LARGE' ? 'expired' : refusedMessages.record(message)
      if (state === 'new') log.error({ ...line, code, reason }, 'notification refused; left in channel')
      if (state === 'expired') {
        log.error({ ...line, code, reason }, 'notification refused; removed from channel')
      }
      return state === 'expired'
    }
    case 'unavailable':
      log.error({ ...line, code: outcome.code, reason: outcome.reason, err: outcome.error }, NOT_STORED)
      return false
  }
}
