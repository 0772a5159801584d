import { randomUUID } from 'node:crypto'
import type { AssetEvent } from '../ingest/event.ts'
import { laterEventId, RETRY_SPAN_MS } from '../ingest/event-identity.ts'
import { pastAttempts } from './attempt-history.ts'
import { compress } from './compress.ts'
import { type JournalEntry, readEntry, type Status } from './journal-entry.ts'
import { type JournalCall, retryUntilAnswered } from './journal-retry.ts'
import {
  expiryOf,
  feedShard,
  JOURNAL,
  type JournalTable,
  journalUnavailable,
  RETENTION_DAYS,
  unfinishedShard
} from './journal-table.ts'
import { cutRecords, cutTexts, type ProcessorRecords } from './processor-record.ts'
import { withReplay } from './replay-record.ts'
import { type Change, updateItem } from './update-item.ts'
import {
  ABSENT,
  lastAttemptIs,
  lastAttemptIsStill,
  NEVER_STARTED,
  NOT_DONE_OR_ABSENT,
  noLaterThan,
  UNFINISHED_OR_ABSENT,
  type WriteCondition
} from './write-conditions.ts'

/** The state of an event after an attempt. */
export interface AttemptOutcome {
  status: Exclude<Status, 'processing' | 'ignored' | 'discarded'>
  lastError?: { processor: string; code: string; message: string }
}

/** An attempt that the journal has recorded as started. */
export interface Attempt {
  /** Only the last attempt of an event can record its outcome. */
  id: string
  eventId: string
  openedAt: string
  /** The records of the processors before this attempt. */
  before: ProcessorRecords
}

/** A decision to start an attempt, with the processor records that it changes. */
export interface AttemptStart {
  started: ProcessorRecords
}

/** A decision, with the attempt if the decision started one. */
export type WithAttempt<Decision> =
  | Exclude<Decision, AttemptStart>
  | (Extract<Decision, AttemptStart> & { attempt: Attempt })

export interface JournalOptions extends JournalTable {
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** Retention of an event after its last write, in days. (Default: 30) */
  retentionDays?: number
  /** Pause before the first retry of a call, in milliseconds. Doubles up to 30 s. (Default: 1000) */
  pauseMs?: number
}

/** Maximum size of a compressed payload, in bytes. DynamoDB accepts items of 400 KB. */
const MAX_PAYLOAD_BYTES = 300 * 1024

/**
 * Records what happened to each event: the idempotency record of the worker, and the source of the activity
 * feed. SQS delivers the events of an asset to one worker at a time; the id of the attempt prevents writes by
 * a worker that lost its lease.
 *
 * The SDK retries a call whose response was lost, so each write is idempotent: it increments no number, and
 * is conditional on its attempt.
 */
export class Journal {
  readonly #options: Required<JournalOptions>

  constructor(options: JournalOptions) {
    this.#options = { clock: Date.now, retentionDays: RETENTION_DAYS, pauseMs: 1000, ...options }
  }

  /**
   * Returns the event with the id to record it under. The same body can report two changes if it states no
   * time: a delivery that was signed later than any retry is about another change and gets its own id. Costs
   * a read if the body states no time.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE once the signal has aborted
   */
  async identify(event: AssetEvent, call: JournalCall): Promise<AssetEvent> {
    const { signedAt } = event
    if (signedAt === undefined) return event
    const first = await this.#read(event.id, call)
    if (!first?.signedAt || isRetry(first.signedAt, signedAt)) return event
    if (first.later && isRetry(first.later.signedAt, signedAt)) return { ...event, id: first.later.id }
    const later = { id: laterEventId(event), signedAt }
    // SQS may redeliver an older delivery
    if (!first.later || first.later.signedAt < signedAt) {
      await this.#update(event.id, { later: { set: later } }, noLaterThan(signedAt), call)
    }
    return { ...event, id: later.id }
  }

  /**
   * Starts an attempt if `decide` says so. Costs one write for a new event; otherwise also a rejected write
   * and a read. The retries of a call belong to the same attempt, which is counted once.
   *
   * @param decide gets what the journal knows of the event, and returns what to start; any other decision is
   *   returned unchanged. It is called again if the entry has changed meanwhile
   * @throws {ListenerError} JOURNAL_UNAVAILABLE once the signal has aborted, or if a retry cannot help
   */
  async startAttempt<Decision extends object>(
    event: AssetEvent,
    decide: (entry: JournalEntry | undefined) => Decision,
    call: JournalCall
  ): Promise<WithAttempt<Decision>> {
    const id = randomUUID()
    let entry: JournalEntry | undefined
    for (;;) {
      const decision = decide(entry)
      if (!isStart(decision)) return decision as WithAttempt<Decision>
      // without its lease, this worker would supersede the attempt of the worker that has the event now
      if (call.signal.aborted) throw journalUnavailable(call.signal.reason)
      const reopens = event.run !== undefined && event.run.id !== entry?.run
      const now = this.#now()
      const openedAt = (reopens ? undefined : entry?.openedAt) ?? now
      const before = entry?.processors ?? {}
      const changes: Record<string, Change> = {
        status: { set: 'processing' },
        attemptId: { set: id },
        attempts: { set: (reopens ? 0 : (entry?.attempts ?? 0)) + 1 },
        openedAt: { set: openedAt },
        processors: { set: cutRecords({ ...before, ...decision.started }) },
        startedAt: { ifAbsent: now },
        attemptStartedAt: { set: now },
        ...(entry?.attemptId && { history: { set: pastAttempts(entry) } }),
        ...(entry ? {} : this.#description(event)),
        ...(event.run && { run: { set: event.run.id } }),
        ...(event.run && reopens && { replays: { set: withReplay(entry?.replays ?? [], event.run, now) } }),
        ...(reopens && { finishedAt: 'remove', reason: 'remove', lastError: 'remove' })
      }
      const condition = !entry
        ? ABSENT
        : entry.attemptId
          ? lastAttemptIsStill(entry.attemptId, entry.status)
          : NEVER_STARTED
      const started = { ...decision, attempt: { id, eventId: event.id, openedAt, before } }
      if (await this.#update(event.id, changes, condition, call)) return started as WithAttempt<Decision>
      entry = await this.#read(event.id, call)
      // the write was stored and its response was lost
      if (entry?.attemptId === id) return started as WithAttempt<Decision>
    }
  }

  /**
   * Records what an attempt did, in one write. The write is retried until the journal answers: an effect that
   * is not recorded would be repeated.
   *
   * @param outcome undefined while the attempt continues
   * @returns false, and records nothing, if another attempt has started since: this worker lost its lease
   * @throws {ListenerError} JOURNAL_UNAVAILABLE once the signal has aborted, or if a retry cannot help
   */
  record(
    attempt: Attempt,
    processors: ProcessorRecords,
    outcome: AttemptOutcome | undefined,
    call: JournalCall
  ): Promise<boolean> {
    const changes: Record<string, Change> = {
      processors: { set: cutRecords(processors) },
      ...(outcome && { status: { set: outcome.status } }),
      ...(outcome?.lastError && { lastError: { set: cutTexts(outcome.lastError) } }),
      ...(outcome && outcome.status !== 'retrying' && { finishedAt: { set: this.#now() } }),
      ...(outcome && {
        [JOURNAL.unfinishedIndex.partitionKey]:
          outcome.status === 'done' ? 'remove' : { set: unfinishedShard(outcome.status, attempt.eventId) }
      })
    }
    return this.#update(attempt.eventId, changes, lastAttemptIs(attempt.id), call)
  }

  /**
   * Records an event that no processor runs for, in one write. A finished event is left unchanged,
   * except a dead one that is redriven or replayed: its dead letter is gone.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE once the signal has aborted, or if a retry cannot help
   */
  async ignore(event: AssetEvent, reason: string, call: JournalCall): Promise<void> {
    const changes: Record<string, Change> = {
      ...this.#description(event),
      status: { set: 'ignored' },
      reason: { set: reason },
      finishedAt: { set: this.#now() },
      [JOURNAL.unfinishedIndex.partitionKey]: 'remove'
    }
    const condition = event.run ? NOT_DONE_OR_ABSENT : UNFINISHED_OR_ABSENT
    await this.#update(event.id, changes, condition, call)
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString()
  }

  /** The attributes that describe an event; written once. */
  #description(event: AssetEvent): Record<string, Change> {
    const { id, payload: _, group, run: __, traceparent: ___, ...described } = event
    const payload = compress(JSON.stringify(event))
    const keep = payload.length <= MAX_PAYLOAD_BYTES
    const attributes = {
      ...described,
      [JOURNAL.feedIndex.partitionKey]: feedShard(id, event.receivedAt),
      [JOURNAL.historyIndex.partitionKey]: group,
      ...(keep ? { payload } : { payloadOmitted: true })
    }
    return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, { ifAbsent: value }]))
  }

  #read(eventId: string, call: JournalCall): Promise<JournalEntry | undefined> {
    const { pauseMs } = this.#options
    return retryUntilAnswered(() => readEntry(this.#options, eventId), { ...call, pauseMs })
  }

  /**
   * Changes an event and renews its expiry.
   *
   * @returns false if the condition is not met
   */
  #update(
    eventId: string,
    changes: Record<string, Change>,
    condition: WriteCondition,
    call: JournalCall
  ): Promise<boolean> {
    const { clock, retentionDays, pauseMs } = this.#options
    const update = () => {
      const expiresAt = { set: expiryOf(clock(), retentionDays) }
      return updateItem(this.#options, eventId, { ...changes, [JOURNAL.timeToLive]: expiresAt }, condition)
    }
    return retryUntilAnswered(update, { ...call, pauseMs })
  }
}

const isStart = (decision: object): decision is AttemptStart => 'started' in decision

const isRetry = (first: string, signedAt: string): boolean =>
  Math.abs(Date.parse(signedAt) - Date.parse(first)) <= RETRY_SPAN_MS
