import type { ActivityEvent, ActivityFilter, EventPage, PageQuery } from '../activity/activity-store.ts'
import { decodeCursor, type EventPosition, encodeCursor, newestFirst } from '../activity/event-cursor.ts'
import { matches, needsPayload } from '../activity/event-match.ts'
import { type StoredEvent, toDetail, toListed, withoutDetail } from './activity-items.ts'
import { type IndexBlock, IndexMerge, type SearchRange } from './index-merge.ts'
import type { JournalTable } from './journal-table.ts'
import { readItems } from './read-items.ts'

/** Search limits of one call. It returns its results when it reaches one. */
export interface SearchBudget {
  events: number
  milliseconds: number
}

export interface SearchOptions {
  table: JournalTable
  budget: SearchBudget
  /** Milliseconds since the epoch. */
  clock: () => number
  /** True if the items of the index have all attributes that filters need, except the payload. */
  isDescribed: boolean
  /** Returns the blocks of the index after a position. */
  blocks: (range: SearchRange) => Iterable<IndexBlock>
}

/** Number of payloads to read at a time, if a filter needs payloads. */
const CHUNK = 100

/**
 * Number of items in the first query of each partition. A page needs few from each of 16; a filter may skip
 * many.
 */
const PLAIN_ITEMS = 8
const FILTERED_ITEMS = 100

/**
 * Returns a page of an index's events, in their current state.
 *
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 * @throws {FilterError} FILTER_INVALID for an invalid cursor
 */
export async function searchEvents(query: PageQuery, options: SearchOptions): Promise<EventPage> {
  const { filter, limit, cursor, direction = 'older', signal } = query
  const { table, budget, clock, isDescribed, blocks } = options
  signal.throwIfAborted()
  const start = cursor === undefined ? undefined : decodeCursor(cursor)
  const isNewestFirst = direction === 'older'
  const sign = isNewestFirst ? 1 : -1
  const deadline = clock() + budget.milliseconds
  let searched = 0
  const isOver = () => clock() >= deadline
  const described = isDescribed ? withoutPayload(filter) : undefined
  const { from: _, until: __, ...selecting } = filter
  const isPlain = Object.keys(selecting).length === 0
  const isDecided = isPlain || described === filter
  const merge = new IndexMerge<StoredEvent>({
    table,
    blocks: blocks({ start, isNewestFirst }),
    isNewestFirst,
    firstItems: isPlain ? PLAIN_ITEMS : FILTERED_ITEMS,
    signal,
    isOver,
    // an unfiltered search skips no items: stop it only between blocks
    mayStopInBlock: !isPlain
  })
  const found: ActivityEvent[] = []
  let reached = start
  let isEnd = false
  let isStopped = false
  while (found.length < limit && !isEnd && !isStopped) {
    const candidates: StoredEvent[] = []
    const wanted = isDecided ? limit - found.length : CHUNK
    while (candidates.length < wanted && !isStopped) {
      const item = await merge.next()
      if (!item) {
        isEnd = !merge.isStopped
        isStopped = merge.isStopped
        break
      }
      if (start && newestFirst(item, start) * sign <= 0) continue
      searched++
      if (!described || matches(toListed(item), described)) candidates.push(item)
      isStopped = !isPlain && searched >= budget.events
    }
    reached = merge.reached ?? reached
    const ids = candidates.map(({ id }) => id)
    const items = await readItems(table, ids, signal)
    for (const { id, receivedAt } of candidates) {
      const item = items.get(id)
      const detail = item && toDetail(item)
      if (!detail || !matches(detail, filter, detail.payload)) continue
      found.push(withoutDetail(detail))
      if (found.length < limit) continue
      // the rest of the chunk belongs to the next page
      isEnd &&= id === ids.at(-1)
      reached = { id, receivedAt }
      break
    }
    isStopped ||= !isPlain && isOver()
  }
  if (!isEnd && found.length === limit && !isStopped) isEnd = await isAtEnd(merge, reached, start, sign)
  const beyond = !isEnd && reached ? encodeCursor(reached) : undefined
  const first = found[0] ?? start
  const back = start && first && encodeCursor(first)
  const [older, newer] = isNewestFirst ? [beyond, back] : [back, beyond]
  return {
    events: isNewestFirst ? found : found.toReversed(),
    ...(older && { older }),
    ...(newer && { newer }),
    ...(beyond && reached && found.length < limit && { searchedTo: reached.receivedAt })
  }
}

/** Returns whether a full page is the last one. */
async function isAtEnd(
  merge: IndexMerge<StoredEvent>,
  reached: EventPosition | undefined,
  start: EventPosition | undefined,
  sign: number
): Promise<boolean> {
  // the last chunk had more events than the page needs
  if (reached && merge.reached && newestFirst(merge.reached, reached) * sign > 0) return false
  for (;;) {
    const item = await merge.next()
    if (!item) return !merge.isStopped
    if (!start || newestFirst(item, start) * sign > 0) return false
  }
}

/**
 * Returns the part of a filter that the feed can check. Returns the same object if that is the whole filter.
 */
function withoutPayload(filter: ActivityFilter): ActivityFilter {
  if (!needsPayload(filter) && filter.source === undefined) return filter
  const { text: _, tag: __, folder: ___, source: ____, ...described } = filter
  return described
}
