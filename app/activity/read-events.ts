import type { ActivityStore, EventPage } from './activity-store.ts'
import type { ListQuery } from './event-filter.ts'

/** Returns a page of events, from the index with the fewest events to search. */
export function readEvents(
  store: ActivityStore,
  { filter, cursor, direction, limit }: ListQuery,
  signal: AbortSignal
): Promise<EventPage> {
  const query = { filter, direction, limit, signal, ...(cursor && { cursor }) }
  const [status, ...others] = filter.status ?? []
  const isUnfinished = others.length === 0 && (status === 'retrying' || status === 'dead')
  return isUnfinished ? store.unfinished(status, query) : store.list(query)
}
