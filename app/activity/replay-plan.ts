import { ListenerError } from '../errors.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { JournalEntry } from '../journal/journal-entry.ts'
import type { ProcessorRecord } from '../journal/processor-record.ts'
import type { ActivityEvent, ActivityFilter, ActivityStore, EventPage } from './activity-store.ts'

/** The events of a replay: a list of ids, or all events that a filter selects. */
export type ReplaySelection = { ids: readonly string[] } | { filter: ActivityFilter }

/** Maximum number of events in a replay. */
export const MAXIMUM_REPLAYED = 50_000

const PAGE_EVENTS = 200

/** Events of one asset, sent sequentially, oldest first. */
export type Lane = readonly string[]

export interface ReplayPlan {
  /** Number of events to send. */
  total: number
  lanes: readonly Lane[]
  /** Ids that are not in the journal. */
  unknown: readonly string[]
}

export interface PlanOptions {
  store: Pick<ActivityStore, 'list' | 'find'>
  /** Select only events with a processor that has not succeeded. */
  failedOnly: boolean
  signal: AbortSignal
}

type Selected = Pick<ActivityEvent, 'id' | 'occurredAt' | 'receivedAt'> & { lane: string }

/**
 * Selects the events of a replay, each once.
 *
 * @throws {ListenerError} JOURNAL_UNAVAILABLE; REPLAY_TOO_LARGE
 */
export async function planReplay(selection: ReplaySelection, options: PlanOptions): Promise<ReplayPlan> {
  const selected = new Map<string, Selected>()
  const unknown: string[] = []
  const add = (event: ActivityEvent) => {
    if (options.failedOnly && !hasFailed(event)) return
    const { id, occurredAt, receivedAt } = event
    selected.set(id, { id, occurredAt, receivedAt, lane: laneOf(event) })
    if (selected.size > MAXIMUM_REPLAYED) {
      throw new ListenerError(
        'REPLAY_TOO_LARGE',
        `more than ${MAXIMUM_REPLAYED} events are selected; narrow the filter, by from and until for example`
      )
    }
  }
  if ('ids' in selection) {
    for (const id of new Set(selection.ids)) {
      options.signal.throwIfAborted()
      const event = await options.store.find(id)
      if (event) add(event)
      else unknown.push(id)
    }
  } else {
    for await (const event of eventsOf(selection.filter, options)) add(event)
  }
  const lanes = Map.groupBy(selected.values(), ({ lane }) => lane)
  return {
    total: selected.size,
    lanes: [...lanes.values()].map((events) => events.toSorted(oldestFirst).map(({ id }) => id)),
    unknown
  }
}

async function* eventsOf(
  filter: ActivityFilter,
  { store, signal }: PlanOptions
): AsyncGenerator<ActivityEvent> {
  let cursor: string | undefined
  do {
    const query = { filter, limit: PAGE_EVENTS, signal, ...(cursor && { cursor }) }
    const { events, older }: EventPage = await store.list(query)
    yield* events
    cursor = older
  } while (cursor)
}

/** Returns whether a redrive has a processor to run: one that has not succeeded. */
export const hasFailed = ({ status, processors }: Pick<ActivityEvent, 'status' | 'processors'>): boolean =>
  status === 'dead' ||
  status === 'retrying' ||
  Object.values(processors).some(({ outcome }) => outcome !== 'succeeded')

/** One lane per message group. Events without an asset share a lane: some have the same group. */
const laneOf = ({ environment, asset }: ActivityEvent): string =>
  JSON.stringify([environment, asset?.assetId ?? null, asset?.assetId ? null : (asset?.publicId ?? null)])

const oldestFirst = (a: Selected, b: Selected): number =>
  Date.parse(a.occurredAt) - Date.parse(b.occurredAt) || Date.parse(a.receivedAt) - Date.parse(b.receivedAt)

/**
 * Returns the run of an event in a replay. With `failedOnly` it is a redrive: processors that have succeeded
 * do not run again. A redrive of processors that failed in an earlier replay still belongs to that replay.
 */
export function runOf(
  id: string,
  failedOnly: boolean,
  { processors }: Pick<JournalEntry, 'processors'>
): NonNullable<AssetEvent['run']> {
  if (!failedOnly) return { kind: 'replay', id }
  const replay = Object.values(processors)
    .filter(({ outcome }) => outcome !== 'succeeded')
    .reduce<ProcessorRecord | undefined>(
      (last, record) => (last && last.at > record.at ? last : record),
      undefined
    )?.replay
  return { kind: 'redrive', id, ...(replay && { replay }) }
}
