import { pino } from 'pino'
import type { AssetEvent } from '../../app/ingest/event.ts'
import type { Attempt, Journal } from '../../app/journal/journal.ts'
import type { JournalCall } from '../../app/journal/journal-retry.ts'

/** Retries forever, and logs nothing. */
export const PATIENT: JournalCall = { signal: new AbortController().signal, log: pino({ enabled: false }) }

/** Starts an attempt of an event, whatever its status. */
export async function beginAttempt(
  journal: Pick<Journal, 'startAttempt'>,
  event: AssetEvent
): Promise<Attempt> {
  const { attempt } = await journal.startAttempt(event, () => ({ started: {} }), PATIENT)
  return attempt
}
