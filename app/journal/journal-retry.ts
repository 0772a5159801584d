import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../logger.ts'
import { journalUnavailable } from './journal-table.ts'

/** How long a caller waits for the journal, and how it stops waiting. */
export interface JournalCall {
  /** Ends the retries when it aborts. */
  signal: AbortSignal
  log: Logger
}

const MAX_PAUSE_MS = 30_000

/**
 * Retries a call until DynamoDB answers.
 *
 * @param pauseMs pause before the first retry, in milliseconds. Doubles with each, up to 30 s
 * @throws {ListenerError} JOURNAL_UNAVAILABLE once the signal has aborted, or if a retry cannot help
 */
export async function retryUntilAnswered<Answer>(
  call: () => Promise<Answer>,
  { signal, log, pauseMs }: JournalCall & { pauseMs: number }
): Promise<Answer> {
  for (let pause = pauseMs; ; pause = Math.min(MAX_PAUSE_MS, 2 * pause)) {
    try {
      return await call()
    } catch (error) {
      if (signal.aborted || !isRetryable(error)) throw journalUnavailable(error)
      log.error({ err: error, code: 'JOURNAL_UNAVAILABLE', pauseMs: pause }, 'journal call failed; retrying')
      await sleep(pause, undefined, { signal }).catch(() => {})
    }
  }
}

/**
 * Returns whether a retry can help. The SDK marks errors of DynamoDB and of the network with `$metadata`. A
 * ValidationException is about the request itself, such as an item that is too large; any other error is a
 * bug in the listener. Retries of those would never end.
 */
const isRetryable = (error: unknown): boolean =>
  error instanceof Error && '$metadata' in error && error.name !== 'ValidationException'
