import type { Asset, EventType, Origin } from '../ingest/event.ts'
import type { Status } from '../journal/journal-entry.ts'
import type { ProcessorRecords } from '../journal/processor-record.ts'

/** How an event came into the queue. */
export type EventSource = 'web' | 'poll' | 'reconcile' | 'replay'

/** An event as the list shows it: no payload. */
export interface ActivityEvent {
  id: string
  type: EventType
  environment: string
  /** The message group: events of one group are one asset's, in order. */
  group?: string
  asset?: Asset | null
  origin: Origin
  /** ISO 8601, UTC, as all times here. */
  occurredAt: string
  receivedAt: string
  startedAt?: string
  finishedAt?: string
  status: Status
  /** Why it was ignored. */
  reason?: string
  attempts: number
  processors: ProcessorRecords
  lastError?: { processor: string; code: string; message: string }
  source?: EventSource
  /** The operator's run that opened it last. */
  run?: string
  traceId?: string
  /** What the event changed, in words the list can show: tags and fields added, removed. */
  change?: { added?: string[]; removed?: string[] }
}

/** One attempt of an event; the last 20 are kept. */
export interface AttemptRecord {
  id: string
  startedAt: string
  endedAt?: string
  /** What each processor that ran in it did. */
  processors: Readonly<
    Record<string, { outcome: string; milliseconds?: number; code?: string; message?: string }>
  >
}

/** An event with all that the journal keeps of it. */
export interface ActivityEventDetail extends ActivityEvent {
  history: readonly AttemptRecord[]
  /** The notification or found asset, as JSON; undefined where it was too large to keep. */
  payload: unknown
  /** When SQS had stored it. */
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

/** What is stored in the queue and not yet started, as a worker saw it last. */
export interface QueueSample {
  at: string
  waiting: number
  inFlight: number
  deadLetters: number
  /** Age of the oldest event that was started since the sample before, in seconds. */
  oldestSeconds?: number
  /** True while a worker's circuit breaker is open. */
  breakerOpen: boolean
}

/** A refused notification, sampled; anyone can cause one, so nothing of it is trusted. */
export interface RefusedSample {
  at: string
  code: string
  /** Which of the expected headers it had, and in what form; never their values. */
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
  /** Both ends included; ISO 8601. */
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
  /** From an earlier page: continues after it in `direction`. */
  cursor?: string
  /** `older` (default) or `newer` than the cursor. */
  direction?: 'older' | 'newer'
  signal: AbortSignal
}

export interface EventPage {
  /** Newest first, whatever the direction. */
  events: readonly ActivityEvent[]
  /** Cursors of the ends; undefined where there is nothing beyond as far as is known. */
  older?: string
  newer?: string
  /** How far back the search went, where it stopped before the page was full: continue with `older`. */
  searchedTo?: string
}

/** What the activity role reads. Implementations throw JOURNAL_UNAVAILABLE. */
export interface ActivityStore {
  list(query: PageQuery): Promise<EventPage>
  find(id: string): Promise<ActivityEventDetail | undefined>
  /** All events of one asset, newest first. */
  history(group: string, query: Omit<PageQuery, 'filter'>): Promise<EventPage>
  /** Events that wait for a retry or are dead, newest first, from the sparse index. */
  unfinished(status: 'retrying' | 'dead', query: PageQuery): Promise<EventPage>
  /** Minutes in the range that have counts, oldest first. */
  minutes(from: string, until: string, signal: AbortSignal): Promise<readonly MinuteCounts[]>
  /** The newest sample of the queue; undefined while no worker has written one. */
  queue(signal: AbortSignal): Promise<QueueSample | undefined>
  /** Newest first, at most 100. */
  refused(signal: AbortSignal): Promise<readonly RefusedSample[]>
}
