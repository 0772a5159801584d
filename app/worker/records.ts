import { type AssetEvent, replayOf } from '../cloudinary/event.ts'
import type { ProcessorRecord, Verdict } from '../journal/journal.ts'
import { serializeError } from '../logger.ts'
import type { Failure, Run } from './dispatch.ts'

/**
 * Whether a processor is done with an event. A redrive has another go at the dead, a replay at all; and what was there before
 * a replay counts neither for it nor for a redrive of it.
 */
export function isFinal(record: ProcessorRecord | undefined, run: AssetEvent['run']): boolean {
  if (record === undefined || record.outcome === 'failed') return false
  if (run === undefined || record.run === run.id) return true
  const replay = replayOf(run)
  return record.outcome === 'succeeded' && (replay === undefined || replay === record.replay)
}

export function recordOf(
  ended: Run,
  isDead: boolean,
  event: AssetEvent,
  clock: () => number
): ProcessorRecord {
  const replay = replayOf(event.run)
  return {
    at: new Date(clock()).toISOString(),
    milliseconds: ended.milliseconds,
    ...(event.run && { run: event.run.id }),
    ...(replay && { replay }),
    ...(ended.outcome === 'succeeded'
      ? { outcome: ended.outcome, ...(ended.note && { note: ended.note }) }
      : { outcome: isDead ? 'dead' : 'failed', ...describeError(ended.error) })
  }
}

/**
 * What becomes of an event, by what its processors have come to.
 *
 * @param failures those of this attempt that are tried again
 * @param counts whether they use up an attempt
 */
export function verdictOf(
  records: ReadonlyMap<string, ProcessorRecord>,
  failures: readonly Failure[],
  counts: boolean
): Verdict {
  const last = failures.at(-1)
  const status = last
    ? 'retrying'
    : [...records.values()].some(({ outcome }) => outcome === 'dead')
      ? 'dead'
      : 'done'
  const failed = [...records].findLast(([, { outcome }]) => outcome !== 'succeeded')
  return {
    status,
    ...(last && !counts && { uncounted: true }),
    ...(failed &&
      'code' in failed[1] &&
      status !== 'done' && {
        lastError: { processor: failed[0], code: failed[1].code, message: failed[1].message }
      })
  }
}

/** An error by its code, or by its name where it has none, and its message: what a stranger may read of it. */
export function describeError(error: unknown): { code: string; message: string } {
  const { code, type, message } = serializeError(error)
  return { code: code ?? type, message }
}
