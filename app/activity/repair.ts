import type { RunOrigin } from '../ingest/event.ts'

/** Error of one event of a repair. */
export interface RepairFailure {
  id: string
  code: string
  message: string
}

/** Dead letters of a repair's events. */
export interface RepairedDeadLetters {
  /** Number of dead letters that were looked at. */
  checked: number
  /** Approximate number of dead letters in the queue at the start. */
  queued: number
  deleted: number
}

/** A replay or a discard of many events: what was requested, and its progress. */
export interface Repair extends RunOrigin {
  /** Id of the repair, and of the run of a replay. */
  id: string
  /** `replay` sends events to the queue again, `discard` deletes the dead letters of dead events. */
  kind: 'replay' | 'discard'
  /** `failed`: an error stopped it. `lost`: its process ended without recording an end. */
  state: 'running' | 'done' | 'aborted' | 'failed' | 'lost'
  /** True if a replay runs only the processors that have not succeeded. */
  failedOnly?: boolean
  /** Reason of a discard. */
  reason?: string
  /** Last time at which the progress was recorded. */
  updatedAt: string
  endedAt?: string
  /** User who requested an abort. */
  abortedBy?: string
  /** Number of events selected. */
  total: number
  /** Number of events sent to the queue. */
  sent: number
  /** Number of events discarded. */
  discarded: number
  /** Number of events that could not be sent or discarded. */
  failed: number
  /** The first failures. */
  failures: readonly RepairFailure[]
  /** Progress of the search for dead letters; undefined until it starts. */
  deadLetters?: RepairedDeadLetters
  /** The error that stopped the repair, in the state `failed`. */
  error?: { code: string; message: string }
}

/** Keeps the progress of repairs, so that each activity task can show and abort all of them. */
export interface RepairStore {
  /**
   * Stores the progress of a repair.
   *
   * @returns the user who requested an abort, if any
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  save(repair: Repair): Promise<{ abortedBy?: string }>
  /**
   * Returns a repair by its id.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  find(id: string): Promise<Repair | undefined>
  /**
   * Requests an abort from the process that runs a repair. Resolves to false if the repair is unknown.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  requestAbort(id: string, by: string): Promise<boolean>
  /**
   * Returns the newest repairs, newest first.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  recent(signal: AbortSignal): Promise<readonly Repair[]>
}

/**
 * Time without progress after which a repair counts as lost, in milliseconds. A running repair records its
 * progress every second.
 */
const LOST_MS = 60_000

/** Returns a repair of another process, as `lost` if its progress is stale. */
export const withStaleness = (repair: Repair, now: number): Repair =>
  repair.state === 'running' && now - Date.parse(repair.updatedAt) > LOST_MS
    ? { ...repair, state: 'lost' }
    : repair

/** Number of events that are finished, with success or not. */
export const handledEvents = ({ sent, discarded, failed }: Repair): number => sent + discarded + failed
