import { ListenerError } from '../errors.ts'
import { type AssetEvent, replayOf } from '../ingest/event.ts'
import type { AttemptOutcome } from '../journal/journal.ts'
import type { ProcessorRecord, ProcessorRecords } from '../journal/processor-record.ts'
import { serializeError } from '../logger.ts'
import { rateLimitResumeTime, retryDelaySeconds, uncountedRetryDelaySeconds } from './backoff.ts'
import type { FailedRun, ProcessorRun } from './run-processor.ts'

/** Failed runs of a processor for an event before the event is dead-lettered. */
export const MAX_ATTEMPTS = 12

/**
 * Maximum time that a processor may delay an event, in milliseconds. The later events of the asset wait
 * behind it, and SQS keeps a message for 14 days.
 */
const MAX_WAIT_MS = 7 * 24 * 3_600_000

/**
 * Why a run failed. Only `processor` uses up an attempt. `cloudinary`: it is down or limits calls.
 * `interruption`: the worker is stopping, and the processor may run again at once.
 */
export type FailureCause = 'processor' | 'cloudinary' | 'interruption'

/** Data for a record, besides the run itself. */
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
 * Returns whether a processor has finished an event. A redrive runs dead processors again, a replay runs all
 * of them. Records from before a replay count neither for the replay nor for a redrive of it.
 */
export function isFinal(record: ProcessorRecord | undefined, run: AssetEvent['run']): boolean {
  if (record === undefined || record.outcome === 'failed' || record.outcome === 'started') return false
  if (run === undefined || record.run === run.id) return true
  const replay = replayOf(run)
  return record.outcome === 'succeeded' && (replay === undefined || replay === record.replay)
}

/** Returns the number of runs that counted. A redrive or replay starts at 0. */
export const attemptsOf = (record: ProcessorRecord | undefined, run: AssetEvent['run']): number =>
  record && record.run === run?.id ? record.attempts : 0

/** Returns when a processor may run again, in milliseconds since the epoch; 0 if it need not wait. */
export const notBeforeOf = (record: ProcessorRecord | undefined, run: AssetEvent['run']): number =>
  record?.outcome === 'failed' && record.run === run?.id ? Date.parse(record.notBefore) : 0

/** Returns whether the last allowed attempt has started and has no outcome: its worker crashed. */
export const isExhausted = (record: ProcessorRecord | undefined, run: AssetEvent['run']): boolean =>
  record?.outcome === 'started' && attemptsOf(record, run) >= MAX_ATTEMPTS

/** Returns the record of a run that starts. It counts as an attempt, since it may crash its worker. */
export function startedRecord(
  event: AssetEvent,
  before: ProcessorRecord | undefined,
  now: number
): ProcessorRecord {
  const attempts = attemptsOf(before, event.run) + 1
  return { outcome: 'started', ...runOf(event, now), attempts, waits: waitsOf(before, event.run) }
}

/** Returns the record of a run that has ended. A retryable failure becomes `dead` with the last attempt. */
export function endedRecord(run: ProcessorRun, cause: FailureCause, context: RecordContext): ProcessorRecord {
  const { event, before, now, random } = context
  const used = attemptsOf(before, event.run)
  const base = { ...runOf(event, now), milliseconds: run.milliseconds, attempts: used + 1, waits: 0 }
  if (run.outcome === 'succeeded') {
    return { ...base, outcome: 'succeeded', ...(run.note && { note: run.note }) }
  }
  const { failure, error } = run
  const counts = cause === 'processor'
  if (failure.kind === 'permanent' || (counts && used + 1 >= MAX_ATTEMPTS)) {
    return { ...base, outcome: 'dead', ...describeError(error) }
  }
  const attempts = counts ? used + 1 : used
  const waits = waitsOf(before, event.run) + (cause === 'cloudinary' ? 1 : 0)
  const delaySeconds = {
    processor: () => retryDelaySeconds(attempts, random()),
    cloudinary: () => uncountedRetryDelaySeconds(waits, random()),
    interruption: () => 0
  }
  const retryAt = now + delaySeconds[cause]() * 1000
  const until = 'until' in failure ? failure.until : undefined
  const notBefore = until ? Math.max(retryAt, rateLimitResumeTime(until, random())) : retryAt
  return {
    ...base,
    outcome: 'failed',
    attempts,
    waits: counts ? 0 : waits,
    ...describeError(error),
    notBefore: new Date(notBefore).toISOString()
  }
}

/** Makes a failure permanent if its retry time is later than an event may wait. */
export function withMaximumWait(run: ProcessorRun, openedAt: string): ProcessorRun {
  if (run.outcome === 'succeeded' || !('until' in run.failure) || !run.failure.until) return run
  const latest = new Date(Date.parse(openedAt) + MAX_WAIT_MS)
  if (run.failure.until <= latest) return run
  const error = new ListenerError(
    'WAIT_TOO_LONG',
    `the processor asked to wait until ${run.failure.until.toISOString()}, but the event can wait until ` +
      `${latest.toISOString()} at most; redrive it later`,
    { cause: run.error }
  )
  return { ...run, failure: { kind: 'permanent' }, error }
}

/** Returns the run of a processor that crashed its worker on each attempt. */
export function exhaustedRun(processor: string): FailedRun {
  const error = new ListenerError(
    'ATTEMPTS_EXHAUSTED',
    `the last of ${MAX_ATTEMPTS} attempts has no recorded outcome; the processor may crash its worker`
  )
  return { outcome: 'failed', processor, failure: { kind: 'permanent' }, error, milliseconds: 0 }
}

/**
 * Returns the state of an event after an attempt.
 *
 * @param isPending whether any of its processors will run again
 */
export function attemptOutcome(records: ProcessorRecords, isPending: boolean): AttemptOutcome {
  const isDead = Object.values(records).some(({ outcome }) => outcome === 'dead')
  const status = isPending ? 'retrying' : isDead ? 'dead' : 'done'
  if (status === 'done') return { status }
  const failed = Object.entries(records).findLast(([, record]) => 'code' in record)
  if (!failed || !('code' in failed[1])) return { status }
  const [processor, { code, message }] = failed
  return { status, lastError: { processor, code, message } }
}

/** Returns the code of an error, or its name if it has none, and its message. */
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
