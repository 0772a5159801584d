import { randomBytes } from 'node:crypto'
import { digest } from '../ingest/event-identity.ts'
import { type StartInterval, startInterval } from '../interval.ts'
import { type Logger, SILENT } from '../logger.ts'
import type { ActivityEvent, ActivityFilter, ActivityStore, EventPage } from './activity-store.ts'
import { matches } from './event-match.ts'

/** A message of the feed. */
export type LiveMessage =
  /** An event that is new or has changed since the last message. */
  | { kind: 'event'; id: string; event: ActivityEvent }
  /** Events may be missing: the viewer must load the list again. */
  | { kind: 'reset'; id: string }

export interface Viewer {
  filter: ActivityFilter
  /** Id of the last message that the viewer has received. The feed sends all later messages at once. */
  lastId?: string | undefined
  send: (message: LiveMessage) => void
  /** Called when the feed closes. No message follows. */
  end: () => void
}

export interface LiveFeedOptions {
  store: Pick<ActivityStore, 'list'>
  log?: Logger
  /** Milliseconds since the epoch. */
  clock?: () => number
  every?: StartInterval
  maximumViewers?: number
  /** Minimum number of messages after which a viewer can resume. */
  ringSize?: number
}

/** Interval of polls of the store, in milliseconds: an event is on the page within a second. */
const POLL_MS = 500

/** How long the feed watches an event for changes after it was received, in milliseconds. */
const WATCHED_MS = 60_000

/** Age of the events that a viewer without a last id receives, in milliseconds, so that it misses none. */
const OVERLAP_MS = 15_000

/**
 * Number of events per page, and maximum number of pages per poll. A poll reads the next page while the last
 * one contains new or changed events.
 */
const PAGE_SIZE = 100
const MAX_PAGES = 10

const MAX_VIEWERS = 200
const RING_SIZE = 1000

/** An event in its last message. */
interface Known {
  receivedAt: string
  version: string
}

interface Change {
  event: ActivityEvent
  version: string
}

/**
 * Sends new and changed events to all viewers of the process, with a steady poll of the store, or none without
 * viewers. Message ids contain the feed's run. A gap ends a run; ids of earlier runs get a reset.
 */
export class LiveFeed {
  readonly #options: Required<LiveFeedOptions>
  readonly #viewers = new Set<Viewer>()
  readonly #known = new Map<string, Known>()
  #ring: { sequence: number; event: ActivityEvent }[] = []
  #run = newRun()
  #sequence = 0
  #polledAt: number | undefined
  #polling: AbortController | undefined
  #stopPolling: (() => void) | undefined
  #isFailing = false
  #isClosed = false

  constructor(options: LiveFeedOptions) {
    this.#options = {
      log: SILENT,
      clock: Date.now,
      every: startInterval,
      maximumViewers: MAX_VIEWERS,
      ringSize: RING_SIZE,
      ...options
    }
  }

  /** Number of viewers. */
  get viewers(): number {
    return this.#viewers.size
  }

  /**
   * Sends events to a viewer until the returned function is called. Returns undefined if there are too many
   * viewers or the feed is closed. Before it returns, it sends the messages that the viewer missed.
   */
  watch(viewer: Viewer): (() => void) | undefined {
    if (this.#isClosed || this.#viewers.size >= this.#options.maximumViewers) return undefined
    if (!this.#stopPolling && this.#isStale(this.#options.clock())) this.#startRun()
    this.#catchUp(viewer)
    this.#viewers.add(viewer)
    if (!this.#stopPolling) {
      this.#stopPolling = this.#options.every(POLL_MS, () => void this.#poll())
      void this.#poll()
    }
    return () => this.#leave(viewer)
  }

  /** Closes all viewers. */
  close(): void {
    this.#isClosed = true
    for (const viewer of this.#viewers) {
      this.#leave(viewer)
      viewer.end()
    }
  }

  #leave(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer) || this.#viewers.size > 0) return
    this.#stopPolling?.()
    this.#stopPolling = undefined
    this.#polling?.abort()
  }

  /** Sends the messages after the viewer's last one; without a last message, recently received events. */
  #catchUp(viewer: Viewer): void {
    if (viewer.lastId === undefined) {
      const since = isoOf(this.#options.clock() - OVERLAP_MS)
      for (const entry of this.#ring) if (entry.event.receivedAt >= since) this.#sendTo(viewer, entry)
      return
    }
    const [run, sequence = Number.NaN] = splitId(viewer.lastId)
    const isResumable =
      run === this.#run && sequence <= this.#sequence && sequence >= (this.#ring[0]?.sequence ?? 1) - 1
    if (!isResumable) viewer.send({ kind: 'reset', id: this.#idOf(this.#sequence) })
    else for (const entry of this.#ring) if (entry.sequence > sequence) this.#sendTo(viewer, entry)
  }

  async #poll(): Promise<void> {
    if (this.#polling) return
    const { log, clock } = this.#options
    const polling = new AbortController()
    this.#polling = polling
    try {
      const startedAt = clock()
      const { changes, isComplete } = await this.#readChanges(startedAt, polling.signal)
      if (this.#isFailing) log.info('live feed resumed')
      this.#isFailing = false
      if (this.#polledAt !== undefined && (!isComplete || this.#isStale(startedAt))) this.#startRun()
      const overlap = isoOf(startedAt - OVERLAP_MS)
      const isFirst = this.#polledAt === undefined
      this.#polledAt = startedAt
      for (const { event, version } of changes) {
        this.#known.set(event.id, { receivedAt: event.receivedAt, version })
        if (!isFirst || event.receivedAt >= overlap) this.#publish(event)
      }
      this.#forget(isoOf(startedAt - WATCHED_MS))
    } catch (err) {
      if (polling.signal.aborted) return
      if (!this.#isFailing) log.warn({ err }, 'live feed poll failed; retrying')
      this.#isFailing = true
    } finally {
      this.#polling = undefined
    }
  }

  /** Returns recently received events that are new or have changed, oldest first. */
  async #readChanges(now: number, signal: AbortSignal): Promise<{ changes: Change[]; isComplete: boolean }> {
    const filter = { from: isoOf(now - WATCHED_MS) }
    const changes: Change[] = []
    let cursor: string | undefined
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = { filter, limit: PAGE_SIZE, signal, ...(cursor && { cursor }) }
      const { events, older }: EventPage = await this.#options.store.list(query)
      const changed = events
        .map((event) => ({ event, version: versionOf(event) }))
        .filter(({ event, version }) => this.#known.get(event.id)?.version !== version)
      changes.push(...changed)
      cursor = older
      if (!cursor || (changed.length === 0 && events.length > 0)) {
        return { changes: changes.reverse(), isComplete: true }
      }
    }
    return { changes: changes.reverse(), isComplete: false }
  }

  #publish(event: ActivityEvent): void {
    const entry = { sequence: ++this.#sequence, event }
    this.#ring.push(entry)
    if (this.#ring.length > 2 * this.#options.ringSize) this.#ring = this.#ring.slice(-this.#options.ringSize)
    for (const viewer of this.#viewers) this.#sendTo(viewer, entry)
  }

  #sendTo(viewer: Viewer, { sequence, event }: { sequence: number; event: ActivityEvent }): void {
    if (matches(event, viewer.filter)) viewer.send({ kind: 'event', id: this.#idOf(sequence), event })
  }

  /** Starts a new run. Viewers can no longer resume after earlier messages. */
  #startRun(): void {
    this.#run = newRun()
    this.#sequence = 0
    this.#ring = []
    this.#known.clear()
    this.#polledAt = undefined
    for (const viewer of this.#viewers) viewer.send({ kind: 'reset', id: this.#idOf(0) })
  }

  /** Returns whether the last poll was so long ago that this one may miss events. */
  #isStale(now: number): boolean {
    return this.#polledAt !== undefined && now - this.#polledAt > WATCHED_MS
  }

  #forget(before: string): void {
    for (const [id, { receivedAt }] of this.#known) if (receivedAt < before) this.#known.delete(id)
  }

  #idOf(sequence: number): string {
    return `${this.#run}-${sequence}`
  }
}

const newRun = (): string => randomBytes(4).toString('hex')

const splitId = (id: string): [run: string | undefined, sequence: number] => {
  const [run, sequence] = id.split('-', 2)
  return [run, /^\d{1,15}$/.test(sequence ?? '') ? Number(sequence) : Number.NaN]
}

/** Returns a text that changes with the event. */
const versionOf = (event: ActivityEvent): string => digest(JSON.stringify(event))

const isoOf = (time: number): string => new Date(time).toISOString()
