import { pino } from 'pino'
import type { AssetEvent } from '../../app/ingest/event.ts'
import type { Attempt, Journal, Waiting } from '../../app/journal/journal.ts'

/** Waits for a journal for as long as it takes, and logs nothing. */
export const PATIENT: Waiting = { signal: new AbortController().signal, log: pino({ enabled: false }) }

/** Begins an attempt of an event, whatever the journal knows of it. */
export async function beginAttempt(journal: Pick<Journal, 'begin'>, event: AssetEvent): Promise<Attempt> {
  const begun = await journal.begin(event, () => ({ started: {} }), PATIENT)
  return begun.attempt
}
