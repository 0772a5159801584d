import { ListenerError } from '../errors.ts'
import { type AssetEvent, replayOf } from '../ingest/event.ts'
import type { Verdict } from '../journal/journal.ts'
import type { ProcessorRecord, ProcessorRecords } from '../journal/processor-record.ts'
import { serializeError } from '../logger.ts'
import { afterLimit, retryDelaySeconds, uncountedDelaySeconds } from './backoff.ts'
import type { Failure, Run } from './run-processor.ts'

/** Runs of a processor for an event that may fail before it is dead-lettered. */
export const MAXIMUM_ATTEMPTS = 12

/**
 * Maximum time that a processor may have an event wait, in milliseconds: the later events of the asset wait behind it, and
 * SQS keeps a message for 14 days.
 */
const LONGEST_WAIT_MS = 7 * 24 * 3_600_000

/**
 * Whether a failure uses up an attempt. `waits`: Cloudinary is down or limits calls. `interrupted`: the worker stops, and
 * the processor may run again at once.
 */
export type Charge = 'counts' | 'waits' | 'interrupted'

/** What a record is made from, beside the run itself. */
export interface RecordContext {
  event: AssetEvent
  /** The record before this run. */
  before: ProcessorRecord | undefined
  /** Milliseconds since the epoch. */
  now: number
  /** A number from 0 up to 1. */
  random: () => number
}

/**
 * Whether a processor is done with an event. A redrive runs the dead ones again, a replay runs all of them; and what was
 * there before a replay counts neither for it nor for a redrive of it.
 */
export function isFinal(record: ProcessorRecord | undefined, run: AssetEvent['run']): boolean {
  if (record === undefined || record.outcome === 'failed' || record.outcome === 'started') return false
  if (run === undefined || record.run === run.id) return true
  const replay = replayOf(run)
  return record.outcome === 'succeeded' && (replay === undefined || replay === record.replay)
}

/** Runs that counted; an operator's run begins at none. */
export const attemptsOf = (record: ProcessorRecord | undefined, run: AssetEvent['run']): number =>
  record && record.run === run?.id ? record.attempts : 0

/** When a processor may run again, in milliseconds since the epoch; 0 where nothing holds it back. */
export const notBeforeOf = (record: ProcessorRecord | undefined, run: AssetEvent['run']): number =>
  record?.outcome === 'failed' && record.run === run?.id ? Date.parse(record.notBefore) : 0

/** It has begun its last attempt, and its worker ended before it could record the outcome. */
export const isExhausted = (record: ProcessorRecord | undefined, run: AssetEvent['run']): boolean =>
  record?.outcome === 'started' && attemptsOf(record, run) >= MAXIMUM_ATTEMPTS

/** The record of a run that begins. It counts until its outcome says otherwise: it may end its worker. */
export function startedRecord(
  event: AssetEvent,
  before: ProcessorRecord | undefined,
  now: number
): ProcessorRecord {
  const attempts = attemptsOf(before, event.run) + 1
  return { outcome: 'started', ...runOf(event, now), attempts, waits: waitsOf(before, event.run) }
}

/** The record of a run that has ended. A failure that may pass becomes `dead` with its last attempt. */
export function endedRecord(ended: Run, charge: Charge, context: RecordContext): ProcessorRecord {
  const { event, before, now, random } = context
  const used = attemptsOf(before, event.run)
  const base = {
    ...runOf(event, now),
    milliseconds: ended.milliseconds,
    attempts: used + 1,
    waits: 0
  }
  if (ended.outcome === 'succeeded') {
    return { ...base, outcome: 'succeeded', ...(ended.note && { note: ended.note }) }
  }
  const { fault, error } = ended
  const described = describeError(error)
  if (fault.kind === 'permanent' || (charge === 'counts' && used + 1 >= MAXIMUM_ATTEMPTS)) {
    return { ...base, outcome: 'dead', ...described }
  }
  const attempts = charge === 'counts' ? used + 1 : used
  const waits = waitsOf(before, event.run) + (charge === 'waits' ? 1 : 0)
  const until = 'until' in fault ? fault.until : undefined
  const delays = {
    counts: () => retryDelaySeconds(attempts, random()),
    waits: () => uncountedDelaySeconds(waits, random()),
    interrupted: () => 0
  }
  const own = now + delays[charge]() * 1000
  const notBefore = until ? Math.max(own, afterLimit(until, random())) : own
  return {
    ...base,
    outcome: 'failed',
    attempts,
    waits: charge === 'counts' ? 0 : waits,
    ...described,
    notBefore: new Date(notBefore).toISOString()
  }
}

/** A failure that asks for a longer wait than an event may have is permanent. */
export function withBoundedWait(ended: Run, openedAt: string): Run {
  if (ended.outcome === 'succeeded' || !('until' in ended.fault) || !ended.fault.until) return ended
  const latest = new Date(Date.parse(openedAt) + LONGEST_WAIT_MS)
  if (ended.fault.until <= latest) return ended
  const error = new ListenerError(
    'WAIT_TOO_LONG',
    `the processor asked to wait until ${ended.fault.until.toISOString()}, and this event may wait until ` +
      `${latest.toISOString()}; redrive it then`,
    { cause: ended.error }
  )
  return { ...ended, fault: { kind: 'permanent' }, error }
}

/** The outcome of a processor whose worker ended each time that it ran. */
export function exhaustedRun(processor: string): Failure {
  const error = new ListenerError(
    'ATTEMPTS_EXHAUSTED',
    `the last of ${MAXIMUM_ATTEMPTS} attempts began and its outcome was not recorded; the processor may end its worker`
  )
  return { outcome: 'failed', processor, fault: { kind: 'permanent' }, error, milliseconds: 0 }
}

/**
 * The state of an event after an attempt.
 *
 * @param isUnfinished whether any of its processors is to run again
 */
export function verdictOf(records: ProcessorRecords, isUnfinished: boolean): Verdict {
  const isDead = Object.values(records).some(({ outcome }) => outcome === 'dead')
  const status = isUnfinished ? 'retrying' : isDead ? 'dead' : 'done'
  if (status === 'done') return { status }
  const failed = Object.entries(records).findLast(([, record]) => 'code' in record)
  if (!failed || !('code' in failed[1])) return { status }
  const [processor, { code, message }] = failed
  return { status, lastError: { processor, code, message } }
}

/** The code of an error, or its name where it has none, and its message. */
export function describeError(error: unknown): { code: string; message: string } {
  const { code, type, message } = serializeError(error)
  return { code: code ?? type, message }
}

const waitsOf = (record: ProcessorRecord | undefined, run: AssetEvent['run']): number =>
  record && record.run === run?.id ? record.waits : 0

function runOf({ run }: AssetEvent, now: number) {
  const replay = replayOf(run)
  return { at: new Date(now).toISOString(), ...(run && { run: run.id }), ...(replay && { replay }) }
}
