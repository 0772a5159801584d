import type { AssetEvent } from '../ingest/event.ts'
import { type JournalEntry, UNFINISHED } from '../journal/journal-entry.ts'
import { type ProcessorRecords, recordNamed } from '../journal/processor-record.ts'
import type { Processor } from '../processor.ts'
import { isExhausted, isFinal, notBeforeOf, startedRecord } from './attempt-records.ts'

/** What to do about an event, according to its journal entry. */
export type AttemptPlan =
  /** The event was finished by an earlier delivery. */
  | { outcome: 'finished' }
  /** No processor may run before `until`, in milliseconds since the epoch. */
  | { outcome: 'waiting'; until: number }
  /** These processors run now for this event, in this order. `started` is the record of the first. */
  | { outcome: 'due'; event: AssetEvent; due: readonly Processor[]; started: ProcessorRecords }

/**
 * Decides which processors run for an event now. Each unfinished processor has its own retry time.
 *
 * @param received the event as the message has it
 * @param processors the processors selected for the event
 * @param now milliseconds since the epoch
 */
export function planAttempt(
  received: AssetEvent,
  processors: readonly Processor[],
  entry: JournalEntry | undefined,
  now: number
): AttemptPlan {
  const event = inLastReplay(received, entry?.replays)
  const reopens = event.run !== undefined && event.run.id !== entry?.run
  if (entry && !UNFINISHED.includes(entry.status) && !reopens) return { outcome: 'finished' }
  // the event was discarded, but its dead letter stayed in the queue: only a replay runs it again
  if (entry?.status === 'discarded' && event.run?.kind === 'redrive') return { outcome: 'finished' }
  const records = entry?.processors ?? {}
  const pending = pendingProcessors(event, processors, records)
  const due = pending.filter(({ name }) => notBeforeOf(recordNamed(records, name), event.run) <= now)
  if (pending.length > 0 && due.length === 0) {
    return { outcome: 'waiting', until: nextRunAt(event, processors, records) }
  }
  return { outcome: 'due', event, due, started: startRecordOf(event, due[0], records, now) }
}

/**
 * A redrive belongs to the last replay of its event, even if its dead letter is older than that replay. Otherwise
 * it would run again what succeeded in the replay, or record what it runs as part of an older replay.
 */
function inLastReplay(event: AssetEvent, reopenings: JournalEntry['replays'] = []): AssetEvent {
  const { run } = event
  if (run?.kind !== 'redrive') return event
  const replays = reopenings.filter(({ kind }) => kind === 'replay').map((each) => each.run)
  const last = replays.at(-1)
  const isKnown = run.replay === undefined || replays.includes(run.replay)
  return last !== undefined && isKnown ? { ...event, run: { ...run, replay: last } } : event
}

/** Returns the processors that have not finished the event. */
export const pendingProcessors = (
  { run }: AssetEvent,
  processors: readonly Processor[],
  records: ProcessorRecords
): Processor[] => processors.filter(({ name }) => !isFinal(recordNamed(records, name), run))

/** Returns when the first unfinished processor may run, in milliseconds since the epoch. */
export const nextRunAt = (
  event: AssetEvent,
  processors: readonly Processor[],
  records: ProcessorRecords
): number =>
  Math.min(
    ...pendingProcessors(event, processors, records).map(({ name }) =>
      notBeforeOf(recordNamed(records, name), event.run)
    )
  )

/** Returns the record to write before a processor runs, by its name. Empty if it has no attempts left. */
export function startRecordOf(
  event: AssetEvent,
  processor: Processor | undefined,
  records: ProcessorRecords,
  now: number
): ProcessorRecords {
  if (!processor) return {}
  const before = recordNamed(records, processor.name)
  return isExhausted(before, event.run) ? {} : { [processor.name]: startedRecord(event, before, now) }
}
