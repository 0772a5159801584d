import type { AssetEvent } from '../ingest/event.ts'
import { type JournalEntry, UNFINISHED } from '../journal/journal.ts'
import type { ProcessorRecords } from '../journal/processor-record.ts'
import type { Processor } from '../processor.ts'
import { isExhausted, isFinal, notBeforeOf, startedRecord } from './attempt-records.ts'

/** What to do about an event, by what the journal knows of it. */
export type Plan =
  /** All is done: it was delivered again. */
  | { outcome: 'finished' }
  /** No processor may run yet; `until` in milliseconds since the epoch. */
  | { outcome: 'waiting'; until: number }
  /** These run now, in this order; `started` is the record of the first. */
  | { outcome: 'due'; due: readonly Processor[]; started: ProcessorRecords }

/**
 * Decides which processors run for an event now: those that have not ended yet, each at its own time.
 *
 * @param processors those that the event is for
 * @param now milliseconds since the epoch
 */
export function planOf(
  event: AssetEvent,
  processors: readonly Processor[],
  entry: JournalEntry | undefined,
  now: number
): Plan {
  const isOpenedByRun = event.run !== undefined && event.run.id !== entry?.run
  if (entry && !UNFINISHED.includes(entry.status) && !isOpenedByRun) return { outcome: 'finished' }
  const recordOf = ({ name }: Processor) => recordNamed(entry?.processors, name)
  const pending = processors.filter((processor) => !isFinal(recordOf(processor), event.run))
  const due = pending.filter((processor) => notBeforeOf(recordOf(processor), event.run) <= now)
  if (pending.length > 0 && due.length === 0) {
    const times = pending.map((processor) => notBeforeOf(recordOf(processor), event.run))
    return { outcome: 'waiting', until: Math.min(...times) }
  }
  return { outcome: 'due', due, started: startOf(event, due[0], entry?.processors, now) }
}

/** The record with which a processor begins; none for one that does not run any more. */
export function startOf(
  event: AssetEvent,
  processor: Processor | undefined,
  records: ProcessorRecords | undefined,
  now: number
): ProcessorRecords {
  if (!processor) return {}
  const before = recordNamed(records, processor.name)
  return isExhausted(before, event.run) ? {} : { [processor.name]: startedRecord(event, before, now) }
}

/** A processor may be named `constructor`. */
export const recordNamed = (records: ProcessorRecords | undefined, name: string) =>
  records && Object.hasOwn(records, name) ? records[name] : undefined
