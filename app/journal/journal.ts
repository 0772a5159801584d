import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import type { AssetEvent } from '../ingest/event.ts'
import { laterEventId, RETRY_SPAN_MS } from '../ingest/event-identity.ts'
import type { Logger } from '../logger.ts'
import { feedShard, JOURNAL, journalUnavailable } from './journal-table.ts'
import { completeRecords, cutTexts, type ProcessorRecords } from './processor-record.ts'
import { type Change, updateOf } from './update-expression.ts'

/** `retrying` waits for its next attempt; `done`, `ignored` and `dead` are final. */
export type Status = 'processing' | 'retrying' | 'done' | 'ignored' | 'dead'

/** The state of the event as a whole after an attempt. */
export interface Verdict {
  status: Exclude<Status, 'processing' | 'ignored'>
  lastError?: { processor: string; code: string; message: string }
}

/** What the journal knows of an event, without its payload. */
export interface JournalEntry {
  status: Status
  /** Attempts of the event, those that did not count included. */
  attempts: number
  processors: ProcessorRecords
  /** The operator's run that opened it last. */
  run?: string
  /** When it was begun for the first time, or opened by an operator's run; ISO 8601, UTC. */
  openedAt?: string
  /** Names the last attempt. */
  attemptId?: string
  /** When its first delivery was signed, where its body states no time. */
  signedAt?: string
  /** The newest change that sent the same body, where there was one after this event. */
  later?: { id: string; signedAt: string }
}

/** An event as the journal keeps it. */
export interface JournaledEvent extends JournalEntry {
  /** Undefined where it was too large to keep. */
  event: AssetEvent | undefined
}

/** An attempt of an event that the journal has recorded as begun. */
export interface Attempt {
  /** Names the attempt: only the last one can record what it did. */
  id: string
  eventId: string
  openedAt: string
  /** The records as they were before it. */
  before: ProcessorRecords
}

/** What an attempt begins with: the records that it changes. */
export interface Start {
  started: ProcessorRecords
}

/** A decision as it is, and an attempt with it where it is to start. */
export type Begun<Decision> = Exclude<Decision, Start> | (Extract<Decision, Start> & { attempt: Attempt })

export interface JournalOptions {
  client: DynamoDBDocumentClient
  tableName: string
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** How long an event is remembered after it was last written, in days. */
  retentionDays?: number
  /** Pause before the first retry of a call, in milliseconds. Doubles with each, up to 30 s. */
  pauseMs?: number
}

/** Who waits for the journal: retries end when the signal aborts. */
export interface Waiting {
  signal: AbortSignal
  log: Logger
}

/** An item as it is stored; an event that was ignored has no attempts. */
type Item = Pick<JournalEntry, 'status'> & Partial<JournalEntry> & { payload?: Uint8Array }

/** Longer than a queue and then a dead-letter queue can keep an event, 14 days each. */
export const EVENT_RETENTION_DAYS = 30

/** DynamoDB takes items of 400 KB. */
const MAXIMUM_PAYLOAD_BYTES = 300 * 1024

const LONGEST_PAUSE_MS = 30_000

export const UNFINISHED: readonly Status[] = ['processing', 'retrying']

/** What an item must be for a write to be taken. */
interface Condition {
  expression: string
  names: Record<string, string>
  values?: Record<string, string>
}

const ABSENT: Condition = { expression: 'attribute_not_exists(#status)', names: { '#status': 'status' } }

const noLaterThan = (signedAt: string): Condition => ({
  expression: 'attribute_exists(#status) AND (attribute_not_exists(#later) OR #later.#signedAt < :signedAt)',
  names: { '#status': 'status', '#later': 'later', '#signedAt': 'signedAt' },
  values: { ':signedAt': signedAt }
})

/** It was ignored, and no attempt has begun. */
const NEVER_BEGUN: Condition = {
  expression: 'attribute_exists(#status) AND attribute_not_exists(#attemptId)',
  names: { '#status': 'status', '#attemptId': 'attemptId' }
}

const UNFINISHED_OR_ABSENT: Condition = {
  expression: 'attribute_not_exists(#status) OR #status IN (:processing, :retrying)',
  names: { '#status': 'status' },
  values: { ':processing': 'processing', ':retrying': 'retrying' }
}

const lastAttempt = (id: string): Condition => ({
  expression: '#attemptId = :lastAttempt',
  names: { '#attemptId': 'attemptId' },
  values: { ':lastAttempt': id }
})

/**
 * The outcome of each event: the idempotency record, and the source of the activity feed. SQS gives the events of an
 * asset to one worker at a time; a worker that has lost its lease is kept out by the id of the attempt.
 *
 * Every write may be repeated with the same result: the SDK retries calls whose answer was lost. So no write adds to a
 * number, and each is conditional on the attempt that it belongs to.
 */
export class Journal {
  readonly #options: Required<JournalOptions>

  constructor(options: JournalOptions) {
    this.#options = { clock: Date.now, retentionDays: EVENT_RETENTION_DAYS, pauseMs: 1000, ...options }
  }

  /**
   * The event under its own id: where a body states no time, a delivery that was signed later than a retry can be is about
   * another change, which gets an id of its own. Costs a read where the body states no time, else nothing.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE once the signal has aborted
   */
  async identify(event: AssetEvent, waiting: Waiting): Promise<AssetEvent> {
    const { signedAt } = event
    if (signedAt === undefined) return event
    const first = await this.#untilAnswered(() => this.#read(event.id), waiting)
    if (!first?.signedAt || isRetry(first.signedAt, signedAt)) return event
    if (first.later && isRetry(first.later.signedAt, signedAt)) return { ...event, id: first.later.id }
    const later = { id: laterEventId(event), signedAt }
    // an older one is a delivery that SQS repeats
    if (!first.later || first.later.signedAt < signedAt) {
      await this.#untilAnswered(
        () => this.#update(event.id, { later: { set: later } }, noLaterThan(signedAt)),
        waiting
      )
    }
    return { ...event, id: later.id }
  }

  /**
   * Begins an attempt, if `decide` says so: one write for an event that is new; for another also a read and a write that
   * is refused. While the journal does not answer, the call is retried: it is the same attempt, and is counted once.
   *
   * @param decide given what the journal knows of the event, says what to start; anything else is returned as it is.
   *   It may be called again when the entry has changed meanwhile
   * @throws {ListenerError} JOURNAL_UNAVAILABLE once the signal has aborted, or when DynamoDB refuses the write for good
   */
  async begin<Decision extends object>(
    event: AssetEvent,
    decide: (entry: JournalEntry | undefined) => Decision,
    waiting: Waiting
  ): Promise<Begun<Decision>> {
    const id = randomUUID()
    let entry: JournalEntry | undefined
    for (;;) {
      const decision = decide(entry)
      if (!isStart(decision)) return decision as Begun<Decision>
      const reopens = event.run !== undefined && event.run.id !== entry?.run
      const openedAt = (reopens ? undefined : entry?.openedAt) ?? this.#now()
      const before = entry?.processors ?? {}
      const changes: Record<string, Change> = {
        status: { set: 'processing' },
        attemptId: { set: id },
        attempts: { set: (reopens ? 0 : (entry?.attempts ?? 0)) + 1 },
        openedAt: { set: openedAt },
        processors: { set: cutRecords({ ...before, ...decision.started }) },
        startedAt: { ifAbsent: this.#now() },
        ...(entry ? {} : this.#description(event)),
        ...(event.run && { run: { set: event.run.id } }),
        ...(reopens && { finishedAt: 'remove', reason: 'remove', lastError: 'remove' })
      }
      const condition = !entry ? ABSENT : entry.attemptId ? lastAttempt(entry.attemptId) : NEVER_BEGUN
      const attempt = { id, eventId: event.id, openedAt, before }
      const written = await this.#untilAnswered(() => this.#update(event.id, changes, condition), waiting)
      if (written) return { ...decision, attempt } as Begun<Decision>
      entry = await this.#untilAnswered(() => this.#read(event.id), waiting)
      // the write was stored, and its answer was lost
      if (entry?.attemptId === id) return { ...decision, attempt } as Begun<Decision>
    }
  }

  /**
   * Records what an attempt did: one write. While the journal does not answer, it is retried, since an effect that is not
   * recorded would be repeated.
   *
   * @returns false where another attempt has begun since: this one lost its lease, and its record is dropped
   * @throws {ListenerError} JOURNAL_UNAVAILABLE once the signal has aborted, or when DynamoDB refuses the write for good
   */
  async record(
    attempt: Attempt,
    processors: ProcessorRecords,
    verdict: Verdict | undefined,
    waiting: Waiting
  ): Promise<boolean> {
    const changes: Record<string, Change> = {
      processors: { set: cutRecords(processors) },
      ...(verdict && { status: { set: verdict.status } }),
      ...(verdict?.lastError && { lastError: { set: cutTexts(verdict.lastError) } }),
      ...(verdict && verdict.status !== 'retrying' && { finishedAt: { set: this.#now() } })
    }
    return this.#untilAnswered(() => this.#update(attempt.eventId, changes, lastAttempt(attempt.id)), waiting)
  }

  /**
   * Records an event that no processor runs for: one write. An event that was finished before stays as it is.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE once the signal has aborted, or when DynamoDB refuses the write for good
   */
  async ignore(event: AssetEvent, reason: string, waiting: Waiting): Promise<void> {
    const changes: Record<string, Change> = {
      ...this.#description(event),
      status: { set: 'ignored' },
      reason: { set: reason },
      finishedAt: { set: this.#now() }
    }
    await this.#untilAnswered(() => this.#update(event.id, changes, UNFINISHED_OR_ABSENT), waiting)
  }

  /**
   * An event by its id; undefined where the journal does not know it.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async find(eventId: string): Promise<JournaledEvent | undefined> {
    try {
      const item = await this.#get(eventId)
      if (!item) return undefined
      return { ...entryOf(item), event: item.payload && JSON.parse(gunzipSync(item.payload).toString()) }
    } catch (error) {
      throw journalUnavailable(error)
    }
  }

  async #read(eventId: string): Promise<JournalEntry | undefined> {
    const item = await this.#get(eventId)
    return item && entryOf(item)
  }

  async #get(eventId: string): Promise<Item | undefined> {
    const { client, tableName } = this.#options
    const Key = { [JOURNAL.partitionKey]: eventId }
    return (await client.send(new GetCommand({ TableName: tableName, Key, ConsistentRead: true }))).Item as
      | Item
      | undefined
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString()
  }

  /** What an event was; written once. */
  #description(event: AssetEvent): Record<string, Change> {
    const { id, payload: _, group, run: __, ...described } = event
    const payload = gzipSync(JSON.stringify(event))
    const keep = payload.length <= MAXIMUM_PAYLOAD_BYTES
    const attributes = {
      ...described,
      [JOURNAL.feedIndex.partitionKey]: feedShard(id, event.receivedAt),
      ...(keep ? { payload } : { payloadOmitted: true })
    }
    return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, { ifAbsent: value }]))
  }

  /**
   * Changes an event, and renews its expiry: whatever makes an event live again keeps what is known of it.
   *
   * @returns false where the condition is not met
   */
  async #update(eventId: string, changes: Record<string, Change>, condition: Condition): Promise<boolean> {
    const { client, tableName, clock, retentionDays } = this.#options
    const expiresAt = Math.floor(clock() / 1000) + retentionDays * 86_400
    const update = updateOf({ ...changes, [JOURNAL.timeToLive]: { set: expiresAt } })
    try {
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { [JOURNAL.partitionKey]: eventId },
          UpdateExpression: update.expression,
          ConditionExpression: condition.expression,
          ExpressionAttributeNames: { ...update.names, ...condition.names },
          ExpressionAttributeValues: { ...update.values, ...condition.values }
        })
      )
      return true
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false
      throw error
    }
  }

  async #untilAnswered<Answer>(call: () => Promise<Answer>, { signal, log }: Waiting): Promise<Answer> {
    for (let pauseMs = this.#options.pauseMs; ; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)) {
      try {
        return await call()
      } catch (error) {
        if (signal.aborted || !mayPass(error)) throw journalUnavailable(error)
        log.error({ err: error, code: 'JOURNAL_UNAVAILABLE', pauseMs }, 'journal call failed; retrying')
        await sleep(pauseMs, undefined, { signal }).catch(() => {})
      }
    }
  }
}

function entryOf(item: Item): JournalEntry {
  const { status, attempts = 0, processors = {}, run, openedAt, attemptId, signedAt, later } = item
  return {
    status,
    attempts,
    processors: completeRecords(processors),
    ...(run && { run }),
    ...(openedAt && { openedAt }),
    ...(attemptId && { attemptId }),
    ...(signedAt && { signedAt }),
    ...(later && { later })
  }
}

const isStart = (decision: object): decision is Start => 'started' in decision

const isRetry = (first: string, signedAt: string): boolean =>
  Math.abs(Date.parse(signedAt) - Date.parse(first)) <= RETRY_SPAN_MS

const cutRecords = (records: ProcessorRecords): ProcessorRecords =>
  Object.fromEntries(Object.entries(records).map(([name, record]) => [name, cutTexts(record)]))

/**
 * An error of DynamoDB or of the way to it, which the SDK marks with `$metadata`; but not one about the request itself,
 * such as an item that is too large. Any other error is a defect of ours, and retrying it would never end.
 */
const mayPass = (error: unknown): boolean =>
  error instanceof Error && '$metadata' in error && error.name !== 'ValidationException'
