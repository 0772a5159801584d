import { pino } from 'pino'
import type { AssetEvent } from '../../app/ingest/event.ts'
import type { Attempt, Journal, Waiting } from '../../app/journal/journal.ts'

/** Waits for the journal without a limit, and logs nothing. */
export const PATIENT: Waiting = { signal: new AbortController().signal, log: pino({ enabled: false }) }

/** Starts an attempt of an event unconditionally. */
export async function beginAttempt(journal: Pick<Journal, 'begin'>, event: AssetEvent): Promise<Attempt> {
  const begun = await journal.begin(event, () => ({ started: {} }), PATIENT)
  return begun.attempt
}
