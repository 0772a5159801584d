import { PermanentError } from '../errors.ts'
import { CANARY_TYPE } from '../ingest/canary-type.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { Processor } from '../processor.ts'

/** The processors that run for an event, or why there are none. */
export type Selection =
  | { outcome: 'selected'; processors: readonly Processor[] }
  | { outcome: 'ignored'; reason: string }

/**
 * Selects the processors for an event. Changes made with the listener's own key are only for processors with
 * `ownChanges`: otherwise each change by a processor would cause the next event. `eager` results always pass,
 * because they are the results of our own calls.
 */
export function selectProcessors(event: AssetEvent, processors: readonly Processor[]): Selection {
  if (event.notificationType === CANARY_TYPE) return { outcome: 'ignored', reason: 'canary' }
  const subscribed = processors.filter(({ on }) => on.includes('*') || on.includes(event.type))
  if (subscribed.length === 0) return { outcome: 'ignored', reason: `no processor handles ${event.type}` }
  const allowed =
    event.origin.own && event.type !== 'eager'
      ? subscribed.filter(({ ownChanges }) => ownChanges)
      : subscribed
  if (allowed.length === 0) return { outcome: 'ignored', reason: "a change made with the listener's own key" }
  const selected = allowed.filter((processor) => isWanted(processor, event))
  if (selected.length === 0) return { outcome: 'ignored', reason: 'every `when` returned false' }
  return { outcome: 'selected', processors: selected }
}

/**
 * Returns whether `when` selects the processor. Also true if `when` throws: the run then fails with the same
 * error.
 */
function isWanted(processor: Processor, event: AssetEvent): boolean {
  try {
    return evaluateWhen(processor, event)
  } catch {
    return true
  }
}

/**
 * Returns the result of `when`, or true for a processor without it.
 *
 * @throws {PermanentError} WHEN_INVALID if `when` does not return a boolean: it may be async
 */
export function evaluateWhen({ when }: Processor, event: AssetEvent): boolean {
  if (when === undefined) return true
  const wanted: unknown = when(event)
  if (typeof wanted === 'boolean') return wanted
  // an unhandled rejection would crash the worker
  Promise.resolve(wanted).catch(() => {})
  throw new PermanentError('`when` must return true or false; it cannot be async', { code: 'WHEN_INVALID' })
}
