import { ListenerError } from '../errors.ts'
import type { ActivityEvent, ActivityFilter, ActivityStore, EventPage, PageQuery } from './activity-store.ts'

/** The events of a repair: a list of ids, or all events that a filter selects. */
export type EventSelection = { ids: readonly string[] } | { filter: ActivityFilter }

/** Maximum number of events in a repair. */
export const MAX_REPAIRED = 50_000

const PAGE_SIZE = 200

/** Number of ids to read concurrently. */
const FINDS_AT_A_TIME = 8

/**
 * Ids of the events of one asset, oldest first; they are handled sequentially. The events of a cloud without
 * an asset form one such list.
 */
export type AssetEventIds = readonly string[]

export interface RepairPlan {
  /** Number of events to handle. */
  total: number
  lanes: readonly AssetEventIds[]
  /** Ids that are not in the journal. */
  unknown: readonly string[]
}

export type SelectingStore = Pick<ActivityStore, 'list' | 'find' | 'unfinished'>

export interface PlanOptions {
  store: SelectingStore
  /** Returns whether to handle a selected event. */
  isWanted: (event: ActivityEvent) => boolean
  signal: AbortSignal
}

type Selected = Pick<ActivityEvent, 'id' | 'occurredAt' | 'receivedAt'> & { lane: string }

/**
 * Selects the events of a repair, each once.
 *
 * @throws {ListenerError} JOURNAL_UNAVAILABLE; REPLAY_TOO_LARGE
 */
export async function planRepair(selection: EventSelection, options: PlanOptions): Promise<RepairPlan> {
  const selected = new Map<string, Selected>()
  const unknown: string[] = []
  for await (const event of selectEvents(selection, options, (id) => unknown.push(id))) {
    if (!options.isWanted(event)) continue
    const { id, occurredAt, receivedAt } = event
    selected.set(id, { id, occurredAt, receivedAt, lane: laneOf(event) })
    if (selected.size > MAX_REPAIRED) {
      throw new ListenerError(
        'REPLAY_TOO_LARGE',
        `more than ${MAX_REPAIRED} events are selected; narrow the filter, by from and until for example`
      )
    }
  }
  const lanes = Map.groupBy(selected.values(), ({ lane }) => lane)
  return {
    total: selected.size,
    lanes: [...lanes.values()].map((events) => events.toSorted(oldestFirst).map(({ id }) => id)),
    unknown
  }
}

/** Yields the selected events that are in the journal. An event that changes meanwhile may be yielded twice. */
export async function* selectEvents(
  selection: EventSelection,
  { store, signal }: Pick<PlanOptions, 'store' | 'signal'>,
  onUnknown: (id: string) => void = () => {}
): AsyncGenerator<ActivityEvent> {
  if ('filter' in selection) {
    // no status: selects nothing
    if (selection.filter.status?.length === 0) return
    for (const read of readersOf(selection.filter, store)) yield* eventsOf(selection.filter, read, signal)
    return
  }
  const ids = [...new Set(selection.ids)]
  for (let first = 0; first < ids.length; first += FINDS_AT_A_TIME) {
    signal.throwIfAborted()
    const batch = ids.slice(first, first + FINDS_AT_A_TIME)
    const found = await Promise.all(batch.map((id) => store.find(id)))
    for (const [index, event] of found.entries()) {
      if (event) yield event
      else onUnknown(batch[index]!)
    }
  }
}

type ReadPage = (query: PageQuery) => Promise<EventPage>

/**
 * Returns the functions that read the events of a filter: from the sparse indexes if these contain all of
 * them.
 */
function readersOf({ status = [] }: ActivityFilter, store: SelectingStore): ReadPage[] {
  const unfinished = status.filter((each) => each === 'retrying' || each === 'dead')
  if (unfinished.length === 0 || unfinished.length < status.length) return [(query) => store.list(query)]
  return unfinished.map((each) => (query) => store.unfinished(each, query))
}

async function* eventsOf(
  filter: ActivityFilter,
  read: ReadPage,
  signal: AbortSignal
): AsyncGenerator<ActivityEvent> {
  let cursor: string | undefined
  do {
    const { events, older } = await read({ filter, limit: PAGE_SIZE, signal, ...(cursor && { cursor }) })
    yield* events
    cursor = older
  } while (cursor)
}

/** Returns whether a redrive has a processor to run: one that has not succeeded. */
export const isRedrivable = ({ status, processors }: Pick<ActivityEvent, 'status' | 'processors'>): boolean =>
  status === 'dead' ||
  status === 'retrying' ||
  // a redrive does not reopen a discarded event
  (status !== 'discarded' && Object.values(processors).some(({ outcome }) => outcome !== 'succeeded'))

/**
 * Returns the key of an event's lane, one per asset. Events without an asset share a lane, because some of
 * them share a message group.
 */
const laneOf = ({ environment, asset }: ActivityEvent): string =>
  JSON.stringify([environment, asset?.assetId ?? null, asset?.assetId ? null : (asset?.publicId ?? null)])

const oldestFirst = (a: Selected, b: Selected): number =>
  Date.parse(a.occurredAt) - Date.parse(b.occurredAt) || Date.parse(a.receivedAt) - Date.parse(b.receivedAt)
