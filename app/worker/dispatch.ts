import type { CloudinaryClient } from '../cloudinary/client.ts'
import type { AssetEvent } from '../cloudinary/event.ts'
import { CloudinaryError, type Fault } from '../cloudinary/fault.ts'
import { PermanentError } from '../errors.ts'
import type { Processor } from '../listener.ts'
import type { Logger } from '../logger.ts'

/** Which processors an event is for, or why it is for none. */
export type Selection =
  | { outcome: 'selected'; processors: readonly Processor[] }
  | { outcome: 'ignored'; reason: string }

/** How one run of one processor ended. */
export type Run =
  | { outcome: 'succeeded'; processor: string; note: string | undefined; milliseconds: number }
  | { outcome: 'failed'; processor: string; fault: Fault; error: unknown; milliseconds: number }

/**
 * Chooses the processors for an event. A change made with the listener's own key is for those alone that ask
 * for own changes, or no processor could change an asset without causing the next event; `eager` results
 * always pass, since they are the answers to our own calls.
 */
export function select(event: AssetEvent, processors: readonly Processor[]): Selection {
  const interested = processors.filter(({ on }) => on.includes('*') || on.includes(event.type))
  if (interested.length === 0) return { outcome: 'ignored', reason: `no processor is on ${event.type}` }
  const allowed =
    event.origin.own && event.type !== 'eager'
      ? interested.filter(({ ownChanges }) => ownChanges)
      : interested
  if (allowed.length === 0) return { outcome: 'ignored', reason: "a change made with the listener's own key" }
  return { outcome: 'selected', processors: allowed }
}

/** Runs one processor for one event. Never throws. */
export async function run(
  processor: Processor,
  event: AssetEvent,
  context: { cloudinary: (signal: AbortSignal) => CloudinaryClient; log: Logger; signal: AbortSignal }
): Promise<Run> {
  const { name } = processor
  const startedAt = performance.now()
  const elapsed = () => Math.round(performance.now() - startedAt)
  try {
    context.signal.throwIfAborted()
    if (processor.when && !processor.when(event)) {
      return {
        outcome: 'succeeded',
        processor: name,
        note: 'skipped: its `when` is false',
        milliseconds: elapsed()
      }
    }
    const note = await processor.handle(event, {
      cloudinary: context.cloudinary(context.signal),
      log: context.log.child({ processor: name }),
      signal: context.signal
    })
    return { outcome: 'succeeded', processor: name, note: note || undefined, milliseconds: elapsed() }
  } catch (error) {
    return { outcome: 'failed', processor: name, fault: faultOf(error), error, milliseconds: elapsed() }
  }
}

function faultOf(error: unknown): Fault {
  if (error instanceof CloudinaryError) return error.fault
  return { kind: error instanceof PermanentError ? 'permanent' : 'retryable' }
}
