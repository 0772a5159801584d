import { ListenerError } from '../errors.ts'
import type { DiscardRecord } from '../journal/discard-event.ts'
import { deleteDeadLetters, type RepairSweepOptions } from './repair-dead-letters.ts'
import type { AssetEventIds } from './repair-plan.ts'
import type { RepairProgress } from './repair-progress.ts'
import { runLanes } from './run-lanes.ts'

/** Marks a dead event as discarded. Resolves to false if it is not dead. */
export type DiscardEvent = (id: string, discard: DiscardRecord) => Promise<boolean>

export interface DiscardOptions extends RepairSweepOptions {
  discardEvent: DiscardEvent
  /** Milliseconds since the epoch. */
  clock: () => number
  /** Maximum number of events that are marked concurrently. */
  concurrency: number
}

/**
 * Deletes the dead letters of events, and marks the events as discarded. An event is marked after its first
 * dead letter is deleted, or at the end if it has none. So an event that is still dead after an abort or an
 * error can be discarded again, or replayed from the journal.
 *
 * @returns false if it was aborted before the end
 */
export async function discardEvents(
  lanes: readonly AssetEventIds[],
  progress: RepairProgress,
  options: DiscardOptions
): Promise<boolean> {
  const left = new Set(lanes.flat())
  const wanted = new Set(left)
  const { by, from, reason = '' } = progress.repair
  // cannot be aborted: the dead letters of these events are already deleted
  const { signal: never } = new AbortController()
  const mark = (ids: readonly string[], signal: AbortSignal) =>
    runLanes(
      ids.map((id) => [id]),
      { ...options, signal },
      async (id) => {
        left.delete(id)
        const at = progress.repair.at
        try {
          if (await options.discardEvent(id, { by, at, from, reason })) progress.handled('discarded')
          else progress.failedEvent(id, NOT_DEAD)
        } catch (error) {
          // stop: the journal is unavailable, so every other event would fail too
          progress.stop(error)
        }
      }
    )
  try {
    const end = await deleteDeadLetters(progress, options, {
      isWanted: ({ event }) => wanted.has(event.id),
      // a worker sends the dead letter before the event is dead in the journal
      until: () => options.clock() + CLOCK_DIFFERENCE_MS,
      onNotDeleted(deadLetters) {
        const ids = new Set(deadLetters.map(({ event }) => event.id))
        for (const id of ids.intersection(left)) {
          left.delete(id)
          progress.failedEvent(id, NOT_DELETED)
        }
      },
      async onDeleted(deadLetters) {
        const ids = new Set(deadLetters.map(({ event }) => event.id))
        await mark([...ids.intersection(left)], never)
      }
    })
    if (end === 'complete') return await mark([...left], progress.signal)
    if (end === 'limit') for (const id of left) progress.failedEvent(id, NOT_FOUND)
    return end === 'limit'
  } catch (error) {
    progress.stop(error)
    return false
  }
}

/** Maximum difference between the clocks of SQS and this process, in milliseconds. */
const CLOCK_DIFFERENCE_MS = 60_000

const NOT_DEAD = new ListenerError('EVENT_NOT_DEAD', 'the event is not dead any more; it was run again')

const NOT_DELETED = new ListenerError(
  'DEAD_LETTER_NOT_DELETED',
  'SQS did not delete the dead letter; discard the event again'
)

const NOT_FOUND = new ListenerError(
  'DEAD_LETTER_NOT_FOUND',
  'there are too many dead letters to look at all of them; discard or redrive others first'
)
