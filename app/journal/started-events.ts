import { readFeed, type TimeRange } from './feed.ts'
import type { JournalTable } from './journal-table.ts'

/**
 * Maximum time that the message of an event that was never started is hidden, in milliseconds: twice the 15
 * minutes of `outageDelaySeconds`, which delays messages while the circuit breaker is open.
 */
const HIDDEN_MS = 30 * 60_000

const MINUTE_MS = 60_000

/** The events that were received in one minute. */
interface Minute {
  /** The last time of receipt in the minute. */
  receivedAt: number
  /** The last time at which a worker started one of them. */
  startedAt: number
}

/**
 * Returns the time up to which a worker has started every received event while other events wait in the
 * queue. Returns undefined if the feed does not show it.
 *
 * The queue is not strictly ordered: after an outage, workers start new events while older ones are still
 * hidden. So this returns the last receipt before any event that was started in the last 30 minutes of work.
 * On a busy system that is about 30 minutes ago; after an outage it stays before the outage until the last
 * hidden event has been started.
 *
 * Reads the feed of the range, and keeps two numbers per minute.
 *
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function startedThrough(table: JournalTable, range: TimeRange): Promise<number | undefined> {
  const minutes = new Map<number, Minute>()
  let lastStartedAt = Number.NEGATIVE_INFINITY
  await readFeed(table, range, ['startedAt', 'finishedAt'], (item) => {
    const receivedAt = Date.parse(item.receivedAt)
    // an event that no processor handles is finished without a start
    const startedAt = Date.parse(item.startedAt ?? item.finishedAt ?? item.receivedAt)
    const minute = Math.floor(receivedAt / MINUTE_MS)
    const known = minutes.get(minute) ?? { receivedAt, startedAt }
    minutes.set(minute, {
      receivedAt: Math.max(known.receivedAt, receivedAt),
      startedAt: Math.max(known.startedAt, startedAt)
    })
    lastStartedAt = Math.max(lastStartedAt, startedAt)
  })
  let through: number | undefined
  for (const [, { receivedAt, startedAt }] of [...minutes].sort(([a], [b]) => a - b)) {
    if (startedAt >= lastStartedAt - HIDDEN_MS) break
    through = receivedAt
  }
  return through
}
