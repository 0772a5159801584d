import type { PollMessage } from '../cloudinary/poll-channel.ts'
import type { Ingest, IngestOutcome } from '../ingest/ingest.ts'
import type { Logger } from '../logger.ts'
import { nameOf, type Refusals } from './refused-messages.ts'

export interface BatchOptions {
  ingest: Pick<Ingest, 'receive'>
  refusals: Refusals
  log: Logger
  /** No more messages are begun when it aborts, or after `until` by `elapsedMs`: they come again. */
  signal: AbortSignal
  until: number
  /** Milliseconds; only differences count. */
  elapsedMs: () => number
}

export interface BatchResult {
  /** Of the messages that are done with. */
  receiptHandles: string[]
  /** Number of messages that are done with and have no receipt handle: they are given again. */
  withoutHandle: number
  /** Why the batch was broken off: the queue did not store. */
  error?: unknown
}

/**
 * Takes in messages, one after the other, in the order in which the channel gave them. When the queue does not store
 * one, those behind it are not tried: they stay behind it.
 */
export async function takeBatch(
  messages: readonly PollMessage[],
  options: BatchOptions
): Promise<BatchResult> {
  const { ingest, signal, until, elapsedMs } = options
  const receiptHandles: string[] = []
  let withoutHandle = 0
  for (const message of messages) {
    const startedAt = elapsedMs()
    if (signal.aborted || startedAt >= until) break
    // there is no load balancer that names it; a message that is given again has its name again
    const traceId = `Poll=${nameOf(message)}`
    let outcome: IngestOutcome
    try {
      outcome = await ingest.receive({
        body: Buffer.from(message.signed_payload ?? '', 'base64url'),
        headers: { signature: message.signature, timestamp: message.timestamp },
        traceId
      })
    } catch (err) {
      // a defect of the listener that this message shows must not keep the others
      options.log.error(
        { err, traceId, code: 'INTERNAL' },
        'notification not stored; it stays in the channel'
      )
      continue
    }
    const milliseconds = Math.round(elapsedMs() - startedAt)
    const isDone = finish(message, outcome, { traceId, milliseconds }, options)
    if (isDone && message.receipt_handle !== undefined) receiptHandles.push(message.receipt_handle)
    else if (isDone) withoutHandle++
    if (outcome.outcome === 'unavailable') return { receiptHandles, withoutHandle, error: outcome.error }
  }
  return { receiptHandles, withoutHandle }
}

/** Writes the one log line of a message, without its payload and signature. True if it may be acknowledged. */
function finish(
  message: PollMessage,
  outcome: IngestOutcome,
  about: { traceId: string; milliseconds: number },
  { log, refusals }: BatchOptions
): boolean {
  const line = { ...outcome.about, outcome: outcome.outcome, ...about }
  switch (outcome.outcome) {
    case 'accepted':
      refusals.forget(message)
      log.info({ ...line, events: outcome.events }, 'notification accepted')
      return true
    case 'refused': {
      const { code, reason } = outcome
      // nothing that anybody could mend here makes it smaller
      const verdict = code === 'EVENT_TOO_LARGE' ? 'over' : refusals.judge(message)
      if (verdict === 'new') {
        log.error({ ...line, code, reason }, 'notification refused; it stays in the channel for a day')
      } else if (verdict === 'over') {
        log.error({ ...line, code, reason }, 'notification refused for good; it is removed from the channel')
      }
      return verdict === 'over'
    }
    case 'unavailable':
      log.error(
        { ...line, code: outcome.code, reason: outcome.reason, err: outcome.error },
        'notification not stored; it stays in the channel'
      )
      return false
  }
}
