import type { Asset, EventType, Origin } from '../ingest/event.ts'
import type { DiscardRecord } from '../journal/discard-event.ts'
import type { Status } from '../journal/journal-entry.ts'
import type { ProcessorRecords } from '../journal/processor-record.ts'
import type { ReplayRecord } from '../journal/replay-record.ts'

/** Origin of an event in the queue. */
export type EventSource = 'web' | 'poll' | 'reconcile' | 'replay'

/** An event in the list, without its payload. */
export interface ActivityEvent {
  id: string
  type: EventType
  environment: string
  /** The message group: the events of one asset, or all folder events of a cloud. They run in order. */
  group?: string
  asset?: Asset | null
  origin: Origin
  /** ISO 8601, UTC, as all times here. */
  occurredAt: string
  receivedAt: string
  startedAt?: string
  finishedAt?: string
  status: Status
  /** Reason why the event was ignored. */
  reason?: string
  attempts: number
  processors: ProcessorRecords
  lastError?: { processor: string; code: string; message: string }
  source?: EventSource
  /** The last replay or redrive that reopened the event. */
  run?: string
  /** The last discard. A replay may have reopened the event since. */
  discarded?: DiscardRecord
  traceId?: string
  /** Summary of the change for the list: added and removed tags and fields. */
  change?: { added?: string[]; removed?: string[] }
}

/** One attempt of an event. The journal keeps the last 20. */
export interface AttemptRecord {
  id: string
  startedAt: string
  endedAt?: string
  /** Set for an attempt of a replay or redrive: its id, and `replay` as its source. */
  run?: string
  source?: 'replay'
  /** Outcome of each processor that ran in the attempt. */
  processors: Readonly<
    Record<string, { outcome: string; milliseconds?: number; code?: string; message?: string }>
  >
}

/** An event with all the data that the journal keeps. */
export interface ActivityEventDetail extends ActivityEvent {
  history: readonly AttemptRecord[]
  /** The last ten replays and redrives, oldest first. */
  replays?: readonly ReplayRecord[]
  /** The notification or found asset, as JSON; undefined if it was too large to keep. */
  payload: unknown
  /** Time when SQS confirmed the event. */
  storedAt?: string
}

/** Counts and latencies of one minute, summed over all processes. */
export interface MinuteCounts {
  /** Start of the minute. */
  minute: string
  accepted: number
  refused: Readonly<Record<string, number>>
  done: number
  retried: number
  dead: number
  ignored: number
  /** Runs and failures by processor. */
  processors: Readonly<Record<string, { runs: number; failures: number }>>
  /** Milliseconds; merged from histograms with fixed bounds, so a percentile is an upper bound. */
  acknowledge: { p50: number; p95: number; p99: number } | undefined
  endToEnd: { p95: number } | undefined
}

/** The backlog of the queue at a worker's last sample: events that are stored but not started. */
export interface QueueSample {
  at: string
  waiting: number
  inFlight: number
  deadLetters: number
  /** Age of the oldest event started since the previous sample, in seconds. */
  oldestSeconds?: number
  /** True while a worker's circuit breaker is open. */
  breakerOpen: boolean
}

/** A sampled refused notification. Anyone can send one, so its values are untrusted. */
export interface RefusedSample {
  at: string
  code: string
  /** The expected headers that were present, and their form; never their values. */
  headers: Readonly<Record<string, string>>
  bytes?: number
}

export interface ActivityFilter {
  status?: readonly Status[]
  type?: readonly EventType[]
  processor?: string
  outcome?: string
  code?: string
  environment?: string
  assetId?: string
  prefix?: string
  folder?: string
  tag?: string
  /** `own`, `other`, or the id of a key or user. */
  who?: string
  source?: EventSource
  /** Bounds of `receivedAt`, both included; ISO 8601. */
  from?: string
  until?: string
  trace?: string
  minimumAttempts?: number
  minimumMilliseconds?: number
  /** Text in the payload, case-insensitive. */
  text?: string
}

export interface PageQuery {
  filter: ActivityFilter
  limit: number
  /** Cursor of an earlier page. The page continues after it in `direction`. */
  cursor?: string
  /** `older` (default) or `newer` than the cursor. */
  direction?: 'older' | 'newer'
  signal: AbortSignal
}

export interface EventPage {
  /** Newest first, in both directions. */
  events: readonly ActivityEvent[]
  /** Cursors of the ends; undefined if no further events are known. */
  older?: string
  newer?: string
  /** Time that the search reached, if it stopped before the page was full: continue with `older`. */
  searchedTo?: string
}

/** Data that the activity role reads. Implementations throw JOURNAL_UNAVAILABLE. */
export interface ActivityStore {
  list(query: PageQuery): Promise<EventPage>
  find(id: string): Promise<ActivityEventDetail | undefined>
  /** Returns the events of a message group, newest first. */
  history(group: string, query: Omit<PageQuery, 'filter'>): Promise<EventPage>
  /** Returns retrying or dead events, newest first, from the sparse index. */
  unfinished(status: 'retrying' | 'dead', query: PageQuery): Promise<EventPage>
  /** Returns the minutes in a range that have counts, oldest first. */
  minutes(from: string, until: string, signal: AbortSignal): Promise<readonly MinuteCounts[]>
  /** Returns the newest sample of the queue; undefined if no worker has written one. */
  queue(signal: AbortSignal): Promise<QueueSample | undefined>
  /** Returns samples of refused notifications, newest first, at most 100. */
  refused(signal: AbortSignal): Promise<readonly RefusedSample[]>
}
