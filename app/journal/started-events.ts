import { type JournalTable, readFeed, type TimeRange } from './feed.ts'

/**
 * How long a message may be hidden that no worker has begun: a worker returns it for 15 minutes at most while the breaker
 * is open (`outageDelaySeconds`). Twice that.
 */
const HIDDEN_MS = 30 * 60_000

const MINUTE_MS = 60_000

interface Minute {
  /** The newest time of receipt. */
  receivedAt: number
  /** The newest time at which a worker began an event. */
  begunAt: number
}

/**
 * Until when all events that were received have been begun by a worker, while some wait in the queue; undefined where
 * the feed does not show it.
 *
 * The queue is not in strict order: after an outage, workers begin new events while older ones are still hidden. So the
 * events that count are those received before any that was begun in the last 30 minutes of work. On a busy system that is
 * about 30 minutes ago; after an outage it is before the outage, until the last hidden event has been begun.
 *
 * It reads the feed of the range, and holds two numbers for each minute.
 *
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function begunThrough(table: JournalTable, range: TimeRange): Promise<number | undefined> {
  const minutes = new Map<number, Minute>()
  let lastBegunAt = Number.NEGATIVE_INFINITY
  await readFeed(table, range, ['startedAt', 'finishedAt'], (item) => {
    const receivedAt = Date.parse(item.receivedAt)
    // an event that no processor wants is finished without being started
    const begunAt = Date.parse(item.startedAt ?? item.finishedAt ?? item.receivedAt)
    const minute = Math.floor(receivedAt / MINUTE_MS)
    const known = minutes.get(minute) ?? { receivedAt, begunAt }
    minutes.set(minute, {
      receivedAt: Math.max(known.receivedAt, receivedAt),
      begunAt: Math.max(known.begunAt, begunAt)
    })
    lastBegunAt = Math.max(lastBegunAt, begunAt)
  })
  let through: number | undefined
  for (const [, { receivedAt, begunAt }] of [...minutes].sort(([a], [b]) => a - b)) {
    if (begunAt >= lastBegunAt - HIDDEN_MS) break
    through = receivedAt
  }
  return through
}
