import type { IndexBlock, SearchRange } from './index-merge.ts'
import { FEED_DIGITS, feedShard, JOURNAL } from './journal-table.ts'

const DAY_MS = 86_400_000

/** Maximum number of days to read together. A day has 16 partitions. */
const MAX_DAYS = 4

const FIRST_TIME = '0000-01-01T00:00:00.000Z'
const LAST_TIME = '9999-12-31T23:59:59.999Z'

/** Ids that sort before and after the ids of all items. */
const FIRST_ID = '!'
const LAST_ID = '~'

/** Returns the part of some partitions of an index after a position, as one block. */
export function wholeIndex(
  index: { name: string; partitionKey: string },
  partitions: readonly string[],
  range: SearchRange
): IndexBlock[] {
  const { from, until } = boundsOf(range, FIRST_TIME, LAST_TIME)
  const { isNewestFirst } = range
  const ranges = partitions.map((partition) => ({ index, partition, from, until, isNewestFirst }))
  const end = isNewestFirst ? { receivedAt: from, id: FIRST_ID } : { receivedAt: until, id: LAST_ID }
  return [{ ranges, end }]
}

/**
 * Returns the days of the feed after a position: the first day alone, since it often fills a page, then
 * several days at a time.
 *
 * @param from the oldest time wanted, ISO 8601
 * @param until the newest time wanted, ISO 8601
 */
export function* feedDays(
  from: string,
  until: string,
  range: SearchRange
): Generator<IndexBlock, void, void> {
  const { isNewestFirst } = range
  const bounds = boundsOf(range, from, until)
  const days = daysBetween(bounds.from, bounds.until)
  if (isNewestFirst) days.reverse()
  for (let first = 0, count = 1; first < days.length; first += count, count = Math.min(MAX_DAYS, 2 * count)) {
    const block = days.slice(first, first + count)
    const ends = block.map((day) => ({
      from: later(bounds.from, day),
      until: earlier(bounds.until, endOfDay(day))
    }))
    const { from: oldest, until: newest } = ends.at(-1)!
    yield {
      ranges: ends.flatMap((end) =>
        FEED_DIGITS.map((digit) => ({
          index: JOURNAL.feedIndex,
          partition: feedShard(digit, end.from),
          ...end,
          isNewestFirst
        }))
      ),
      // this position is in the next day, so that a search from it does not read the current day again
      end: isNewestFirst
        ? { receivedAt: shifted(oldest, -1), id: LAST_ID }
        : { receivedAt: shifted(newest, 1), id: FIRST_ID }
    }
  }
}

const boundsOf = ({ start, isNewestFirst }: SearchRange, from: string, until: string) => ({
  from: start && !isNewestFirst ? later(start.receivedAt, from) : from,
  until: start && isNewestFirst ? earlier(start.receivedAt, until) : until
})

/** Returns the start of each day, oldest first. */
function daysBetween(from: string, until: string): string[] {
  const days: string[] = []
  for (let day = Math.floor(Date.parse(from) / DAY_MS) * DAY_MS; day <= Date.parse(until); day += DAY_MS) {
    days.push(new Date(day).toISOString())
  }
  return days
}

const endOfDay = (day: string): string => shifted(day, DAY_MS - 1)

const shifted = (time: string, milliseconds: number): string =>
  new Date(Date.parse(time) + milliseconds).toISOString()

const later = (a: string, b: string): string => (a > b ? a : b)
const earlier = (a: string, b: string): string => (a < b ? a : b)
