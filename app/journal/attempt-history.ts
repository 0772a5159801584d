import type { ProcessorRecord, ProcessorRecords } from './processor-record.ts'

/** Outcome of one processor in an attempt. */
export interface PastRun {
  outcome: ProcessorRecord['outcome']
  milliseconds?: number
  code?: string
  message?: string
}

/** An attempt before the last one. */
export interface PastAttempt {
  id: string
  startedAt: string
  /**
   * Undefined if no end is recorded: the attempt is still running, or its worker crashed or lost its lease.
   */
  endedAt?: string
  /** The replay or redrive that the attempt belongs to. */
  run?: string
  processors: Readonly<Record<string, PastRun>>
}

/** The journal's data on the last attempt of an event. */
export interface LastAttempt {
  status: string
  attemptId?: string
  attemptStartedAt?: string
  run?: string
  processors?: ProcessorRecords
  history?: readonly PastAttempt[]
}

/** Maximum number of attempts to keep, including the last one. */
export const MAX_STORED_ATTEMPTS = 20

/**
 * Maximum size of the stored attempts, in bytes of JSON. Older ones are dropped. An item can have 400 KB: 300
 * KiB of payload, these attempts, and the records of the processors (at most 3.5 KB each).
 */
const MAX_HISTORY_BYTES = 32 * 1024

const MAX_CODE_LENGTH = 100
const MAX_MESSAGE_LENGTH = 200

/**
 * Returns the attempts of an event, oldest first. Derives the last one from the records of the processors, so
 * an event that succeeds at the first attempt stores no history.
 */
export function attemptsUntilNow(entry: LastAttempt): readonly PastAttempt[] {
  const { attemptId, attemptStartedAt, history = [] } = entry
  if (attemptId === undefined || attemptStartedAt === undefined) return history
  return [...history, lastAttempt(attemptId, attemptStartedAt, entry)]
}

/** Returns the attempts to store when a new one starts. */
export function pastAttempts(entry: LastAttempt): readonly PastAttempt[] {
  const attempts = attemptsUntilNow(entry).slice(1 - MAX_STORED_ATTEMPTS)
  const sizes = attempts.map((attempt) => Buffer.byteLength(JSON.stringify(attempt)))
  let first = attempts.length
  for (let bytes = 0; first > 0; first--) {
    bytes += sizes[first - 1]!
    if (bytes > MAX_HISTORY_BYTES) break
  }
  return attempts.slice(first)
}

function lastAttempt(
  id: string,
  startedAt: string,
  { status, run, processors = {} }: LastAttempt
): PastAttempt {
  const ran = Object.entries(processors).filter(([, { at }]) => at >= startedAt)
  const ends = ran.map(([, { at }]) => at).sort()
  return {
    id,
    startedAt,
    ...(status !== 'processing' && { endedAt: ends.at(-1) ?? startedAt }),
    ...(run && { run }),
    processors: Object.fromEntries(ran.map(([name, record]) => [name, pastRun(record)]))
  }
}

const pastRun = (record: ProcessorRecord): PastRun => ({
  outcome: record.outcome,
  ...('milliseconds' in record && { milliseconds: record.milliseconds }),
  ...('code' in record && {
    code: cut(record.code, MAX_CODE_LENGTH),
    message: cut(record.message, MAX_MESSAGE_LENGTH)
  })
})

const cut = (text: string, length: number): string => text.slice(0, length).toWellFormed()
