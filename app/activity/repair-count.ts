import { type EventSelection, isRedrivable, type SelectingStore, selectEvents } from './repair-plan.ts'

/** Numbers of events that a selection contains. */
export interface RepairCounts {
  all: number
  /** Number of events with a processor that has not succeeded. */
  failed: number
  dead: number
  /** False if counting stopped at a limit: there may be more events. */
  isComplete: boolean
}

export interface CountOptions {
  store: SelectingStore
  signal: AbortSignal
  /** Milliseconds since the epoch. */
  clock: () => number
  /** Maximum number of events to read. */
  maximumEvents?: number
  /** Maximum duration, in milliseconds. It is checked between pages. */
  withinMs?: number
}

const MAX_COUNTED = 10_000
const COUNT_MS = 2000

/**
 * Counts the events of a selection in one pass over the journal, up to a limit.
 *
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function countEvents(
  selection: EventSelection,
  { store, signal, clock, maximumEvents = MAX_COUNTED, withinMs = COUNT_MS }: CountOptions
): Promise<RepairCounts> {
  const deadline = clock() + withinMs
  const seen = new Set<string>()
  const counts = { all: 0, failed: 0, dead: 0 }
  let isOver = false
  // a filter that finds little can search for long without an event
  const bounded: SelectingStore = {
    find: (id) => store.find(id),
    list: async (query) => stopped(await store.list(query)),
    unfinished: async (status, query) => stopped(await store.unfinished(status, query))
  }
  const stopped: <Page extends { older?: string }>(page: Page) => Page = (page) => {
    if (page.older === undefined || clock() < deadline) return page
    isOver = true
    const { older: _, ...last } = page
    return last as typeof page
  }
  for await (const event of selectEvents(selection, { store: bounded, signal })) {
    if (seen.size >= maximumEvents && !seen.has(event.id)) return { ...counts, isComplete: false }
    if (seen.has(event.id)) continue
    seen.add(event.id)
    counts.all++
    if (isRedrivable(event)) counts.failed++
    if (event.status === 'dead') counts.dead++
  }
  return { ...counts, isComplete: !isOver }
}
