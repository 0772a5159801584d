import { ListenerError } from '../errors.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { JournalEntry } from '../journal/journal-entry.ts'
import type { JournalReader } from '../journal/journal-reader.ts'
import type { ProcessorRecord } from '../journal/processor-record.ts'
import type { EventSender } from '../queue/event-sender.ts'
import type { DeadLetterQueue } from './dead-letter-sweep.ts'
import { deleteDeadLetters, type SweepQueue } from './repair-dead-letters.ts'
import type { AssetEventIds } from './repair-plan.ts'
import type { RepairProgress } from './repair-progress.ts'
import { runLanes } from './run-lanes.ts'

export interface ReplayOptions {
  journal: Pick<JournalReader, 'find'>
  sender: Pick<EventSender, 'store'>
  deadLetters: DeadLetterQueue
  sweeps: SweepQueue
  /** Maximum number of assets whose events are sent concurrently. */
  concurrency: number
}

/**
 * Sends the events of a replay to the queue, each once and in order per asset, then deletes the dead letters
 * of those that had one. An abort leaves the dead letters: a later redrive of one finds nothing to run.
 *
 * @returns false if it was aborted before the end
 */
export async function replayEvents(
  lanes: readonly AssetEventIds[],
  progress: RepairProgress,
  options: ReplayOptions
): Promise<boolean> {
  const withDeadLetter = new Set<string>()
  const isWhole = await runLanes(lanes, { ...options, signal: progress.signal }, async (id) => {
    try {
      if (await send(id, progress, options)) withDeadLetter.add(id)
      progress.handled('sent')
    } catch (error) {
      // an error of the journal or the queue would fail every event
      if (isOfEvent(error)) progress.failedEvent(id, error)
      else progress.stop(error)
    }
  })
  if (withDeadLetter.size === 0) return isWhole
  if (progress.signal.aborted) return false
  try {
    const end = await deleteDeadLetters(progress, options, {
      // not those of processors that have failed again in this run
      isWanted: ({ event }) => withDeadLetter.has(event.id) && event.run?.id !== progress.repair.id,
      until: () => Date.parse(progress.repair.at)
    })
    return end !== 'aborted'
  } catch (error) {
    progress.stop(error)
    return false
  }
}

/** Sends an event. Resolves to true if it has a dead letter. */
async function send(
  id: string,
  { repair }: RepairProgress,
  { journal, sender }: ReplayOptions
): Promise<boolean> {
  const found = await journal.find(id)
  if (!found) throw new ListenerError('EVENT_UNKNOWN', 'the journal does not know this event any more')
  if (!found.event) {
    throw new ListenerError(
      'PAYLOAD_MISSING',
      'the payload was too large for the journal to keep; send its dead letter by the command redrive --id'
    )
  }
  const { by, at, from, failedOnly = false } = repair
  const run = { ...runOf(repair.id, failedOnly, found), by, at, from }
  // the call is not aborted: otherwise it would be unknown whether the event was sent
  await sender.store([{ ...found.event, run }])
  return Object.values(found.processors).some(({ outcome }) => outcome === 'dead') || found.status === 'dead'
}

/**
 * Returns the run of an event in a replay. With `failedOnly` it is a redrive: processors that have succeeded
 * do not run again. A redrive of processors that failed in an earlier replay still belongs to that replay.
 */
export function runOf(
  id: string,
  failedOnly: boolean,
  { processors }: Pick<JournalEntry, 'processors'>
): NonNullable<AssetEvent['run']> {
  if (!failedOnly) return { kind: 'replay', id }
  const replay = Object.values(processors)
    .filter(({ outcome }) => outcome !== 'succeeded')
    .reduce<ProcessorRecord | undefined>(
      (last, record) => (last && last.at > record.at ? last : record),
      undefined
    )?.replay
  return { kind: 'redrive', id, ...(replay && { replay }) }
}

const OF_EVENT = ['EVENT_UNKNOWN', 'PAYLOAD_MISSING', 'EVENT_TOO_LARGE']

/** Returns whether an error affects one event only. A ListenerError as cause: SQS rejected this message. */
const isOfEvent = (error: unknown): boolean =>
  error instanceof ListenerError &&
  (OF_EVENT.includes(error.code) ||
    (error.code === 'QUEUE_UNAVAILABLE' && error.cause instanceof ListenerError))
