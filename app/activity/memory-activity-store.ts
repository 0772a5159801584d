import type { AssetEvent } from '../ingest/event.ts'
import type { DiscardRecord } from '../journal/discard-event.ts'
import type { JournaledEvent } from '../journal/journal-entry.ts'
import type {
  ActivityEvent,
  ActivityEventDetail,
  ActivityFilter,
  ActivityStore,
  EventPage,
  MinuteCounts,
  PageQuery,
  QueueSample,
  RefusedSample
} from './activity-store.ts'
import { decodeCursor, encodeCursor, newestFirst } from './event-cursor.ts'
import { matches } from './event-match.ts'

/** Fields that the journal adds to an event. */
export type EventState = Partial<Omit<ActivityEventDetail, keyof AssetEvent>> & { run?: string }

interface Stored {
  event: AssetEvent
  detail: ActivityEventDetail
}

/** Default number of events that one call searches. */
const SEARCHED_EVENTS = 2000

const MAX_REFUSED = 100

/** An activity store in memory, for tests and development. It pages and filters like the DynamoDB store. */
export class MemoryActivityStore implements ActivityStore {
  readonly minuteCounts: MinuteCounts[] = []
  readonly refusedSamples: RefusedSample[] = []
  queueSample: QueueSample | undefined
  /** Reads whole events, like the journal. */
  readonly journal = { find: async (id: string) => this.#journaled(id) }
  /** Marks a dead event as discarded, like the journal. */
  readonly discardEvent = async (id: string, discarded: DiscardRecord) => this.#discard(id, discarded)
  readonly #searchedEvents: number
  readonly #events = new Map<string, Stored>()
  #sorted: Stored[] | undefined

  /** @param searchedEvents number of events that one call searches */
  constructor(searchedEvents = SEARCHED_EVENTS) {
    this.#searchedEvents = searchedEvents
  }

  /** Stores an event, or replaces the one with its id. Without a state, the event is stored as processed. */
  put(event: AssetEvent, state: EventState = {}): void {
    const { run, payload, notificationType: _, signedAt: __, reconciled, ...described } = event
    const detail: ActivityEventDetail = {
      status: 'done',
      attempts: 1,
      processors: {},
      history: [],
      source: reconciled ? 'reconcile' : 'web',
      ...(run && { run: run.id }),
      ...state,
      ...described,
      payload
    }
    this.#events.set(event.id, { event, detail })
    this.#sorted = undefined
  }

  async list({ filter, ...query }: PageQuery): Promise<EventPage> {
    return this.#page(query, filter, () => true)
  }

  async history(group: string, query: Omit<PageQuery, 'filter'>): Promise<EventPage> {
    return this.#page(query, {}, ({ event }) => event.group === group)
  }

  async unfinished(status: 'retrying' | 'dead', { filter, ...query }: PageQuery): Promise<EventPage> {
    return this.#page(query, filter, ({ detail }) => detail.status === status)
  }

  async find(id: string): Promise<ActivityEventDetail | undefined> {
    return this.#events.get(id)?.detail
  }

  async minutes(from: string, until: string, signal: AbortSignal): Promise<readonly MinuteCounts[]> {
    signal.throwIfAborted()
    return this.minuteCounts
      .filter(({ minute }) => minute >= from && minute <= until)
      .toSorted((a, b) => a.minute.localeCompare(b.minute))
  }

  async queue(signal: AbortSignal): Promise<QueueSample | undefined> {
    signal.throwIfAborted()
    return this.queueSample
  }

  async refused(signal: AbortSignal): Promise<readonly RefusedSample[]> {
    signal.throwIfAborted()
    return this.refusedSamples.toSorted((a, b) => b.at.localeCompare(a.at)).slice(0, MAX_REFUSED)
  }

  /**
   * Searches an index, and returns a page of it.
   *
   * @param isInIndex whether the searched index contains an event; others do not count as searched
   */
  #page(
    { limit, cursor, direction = 'older', signal }: Omit<PageQuery, 'filter'>,
    filter: ActivityFilter,
    isInIndex: (stored: Stored) => boolean
  ): EventPage {
    signal.throwIfAborted()
    const start = cursor === undefined ? undefined : decodeCursor(cursor)
    const isNewer = direction === 'newer'
    const index = this.#newestFirst().filter(isInIndex)
    const ahead = (isNewer ? index.toReversed() : index).filter(
      ({ event }) => !start || newestFirst(event, start) * (isNewer ? -1 : 1) > 0
    )
    const found: ActivityEvent[] = []
    let searched = 0
    for (const { detail } of ahead) {
      if (found.length === limit || searched === this.#searchedEvents) break
      searched++
      const { history: _, replays: __, payload, storedAt: ___, ...event } = detail
      if (matches(event, filter, payload)) found.push(event)
    }
    const last = ahead[searched - 1]?.event
    const beyond = searched < ahead.length && last ? encodeCursor(last) : undefined
    const first = found[0] ?? start
    const back = start && first && encodeCursor(first)
    const [older, newer] = isNewer ? [back, beyond] : [beyond, back]
    return {
      events: isNewer ? found.toReversed() : found,
      ...(older && { older }),
      ...(newer && { newer }),
      ...(beyond && last && found.length < limit && { searchedTo: last.receivedAt })
    }
  }

  #newestFirst(): Stored[] {
    this.#sorted ??= [...this.#events.values()].sort((a, b) => newestFirst(a.event, b.event))
    return this.#sorted
  }

  #discard(id: string, discarded: DiscardRecord): boolean {
    const stored = this.#events.get(id)
    if (stored?.detail.status !== 'dead') return false
    this.#events.set(id, { ...stored, detail: { ...stored.detail, status: 'discarded', discarded } })
    this.#sorted = undefined
    return true
  }

  #journaled(id: string): JournaledEvent | undefined {
    const stored = this.#events.get(id)
    if (!stored) return undefined
    const { status, attempts, processors, run } = stored.detail
    return { event: stored.event, status, attempts, processors, ...(run && { run }) }
  }
}
