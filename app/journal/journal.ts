import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import {
  type DynamoDBDocumentClient,
  GetCommand,
  UpdateCommand,
  type UpdateCommandInput
} from '@aws-sdk/lib-dynamodb'
import type { AssetEvent } from '../cloudinary/event.ts'
import type { Logger } from '../logger.ts'
import { feedShard, JOURNAL, journalUnavailable } from './table.ts'
import { type Change, updateOf } from './update.ts'

/** `retrying` waits for its next attempt; `done`, `ignored` and `dead` are final. */
export type Status = 'processing' | 'retrying' | 'done' | 'ignored' | 'dead'

interface Ended {
  /** ISO 8601, UTC. */
  at: string
  milliseconds: number
  /** The operator's run that it belongs to; the event's own has none. */
  run?: string
  /** The replay that this run belongs to. */
  replay?: string
}

/** How a processor's last run for an event ended; `succeeded` and `dead` are final. */
export type ProcessorRecord =
  | (Ended & { outcome: 'succeeded'; note?: string })
  | (Ended & { outcome: 'failed' | 'dead'; code: string; message: string })

export type Beginning =
  | { outcome: 'begun'; attempts: number; processors: Record<string, ProcessorRecord> }
  /** It was finished before: somebody delivered it again. */
  | { outcome: 'finished' }

/** What becomes of the event as a whole, written with a processor's record. */
export interface Verdict {
  status: Exclude<Status, 'processing' | 'ignored'>
  lastError?: { processor: string; code: string; message: string }
  /** The attempt does not count: it failed for a reason that is not the event's. */
  uncounted?: boolean
}

/** An event as the journal keeps it. */
export interface JournaledEvent {
  /** Undefined where it was too large to keep. */
  event: AssetEvent | undefined
  status: Status
  attempts: number
  processors: Record<string, ProcessorRecord>
}

export interface JournalOptions {
  client: DynamoDBDocumentClient
  tableName: string
  log: Logger
  /** Milliseconds since the epoch. */
  clock?: () => number
  /** How long an event is remembered, in days. */
  retentionDays?: number
  /** How long to wait before a record is tried again, in milliseconds. */
  pauseMs?: number
}

/** How long an event is remembered: longer than a queue and then a dead-letter queue can keep it, 14 days each. */
export const EVENT_RETENTION_DAYS = 30

/** DynamoDB takes items of 400 KB. */
const MAXIMUM_PAYLOAD_BYTES = 300 * 1024

/** A processor's notes and messages are cut to this, in characters, so that many of them fit beside the payload. */
const LONGEST_TEXT = 500

export const UNFINISHED: readonly Status[] = ['processing', 'retrying']

/**
 * What was done for each event: it is what makes processing effectively once, and it is what the activity feed
 * shows. A message group is given to one worker at a time, so the events of an asset need no other lock.
 */
export class Journal {
  readonly #options: Required<JournalOptions>

  constructor(options: JournalOptions) {
    this.#options = { clock: Date.now, retentionDays: EVENT_RETENTION_DAYS, pauseMs: 1000, ...options }
  }

  /**
   * Notes that an attempt begins, and says what earlier ones have done: one write, and one more when there were
   * earlier ones. The attempt is counted before it runs, so that an event that kills its worker is counted too.
   *
   * Neither write adds to a number: while DynamoDB answers late, a write is made again that was made already, and
   * attempts that never ran would use up those an event has.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async begin(event: AssetEvent): Promise<Beginning> {
    if (event.run) await this.#beginRun(event.id, event.run.id)
    const attempt = randomUUID()
    try {
      const item = await this.#update(
        event.id,
        {
          ...this.#description(event),
          startedAt: { ifAbsent: this.#now() },
          processors: { ifAbsent: {} },
          status: { set: 'processing' },
          attempts: { ifAbsent: 1 },
          firstAttempt: { ifAbsent: attempt }
        },
        { ReturnValues: 'ALL_NEW' }
      )
      const { attempts: before, processors } = item as unknown as JournaledEvent
      if (item.firstAttempt === attempt) return { outcome: 'begun', attempts: before, processors }
      const attempts = before + 1
      await this.#update(event.id, { attempts: { set: attempts } })
      return { outcome: 'begun', attempts, processors }
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return { outcome: 'finished' }
      throw journalUnavailable(error)
    }
  }

  /**
   * Notes how a processor's run ended, and with the last one what becomes of the event: one write. While the
   * journal does not answer it is tried again, since what is done and not noted would be done again.
   *
   * @param log one whose lines say which event they are about
   * @throws {ListenerError} JOURNAL_UNAVAILABLE once the signal has aborted, or when it would never be taken
   */
  async record(
    eventId: string,
    processor: { name: string; record: ProcessorRecord } | undefined,
    verdict: Verdict | undefined,
    signal: AbortSignal,
    log?: Logger
  ): Promise<void> {
    for (;;) {
      try {
        await this.#update(
          eventId,
          {
            ...(verdict && { status: { set: verdict.status } }),
            ...(verdict && verdict.status !== 'retrying' && { finishedAt: { set: this.#now() } }),
            ...(verdict?.lastError && { lastError: { set: cutTexts(verdict.lastError) } }),
            ...(verdict?.uncounted && { attempts: { add: -1 } })
          },
          { processor }
        )
        return
      } catch (error) {
        // finished already: by a try of this call whose answer was lost, or by whoever the message went to since
        if (error instanceof ConditionalCheckFailedException) return
        if (signal.aborted || isRefusal(error)) throw journalUnavailable(error)
        const lines = log ?? this.#options.log.child({ eventId })
        lines.error(
          { err: error, processor: processor?.name, code: 'JOURNAL_UNAVAILABLE' },
          'cannot note what was done; trying again'
        )
        await sleep(this.#options.pauseMs, undefined, { signal }).catch(() => {})
      }
    }
  }

  /**
   * Notes an event that no processor is run for: one write.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async ignore(event: AssetEvent, reason: string): Promise<void> {
    try {
      await this.#update(event.id, {
        ...this.#description(event),
        status: { set: 'ignored' },
        reason: { set: reason },
        finishedAt: { set: this.#now() }
      })
    } catch (error) {
      // it was finished before, and how is worth more than that it is ignored now
      if (error instanceof ConditionalCheckFailedException) return
      throw journalUnavailable(error)
    }
  }

  /**
   * An event by its id; undefined where the journal does not know it.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async find(eventId: string): Promise<JournaledEvent | undefined> {
    const { client, tableName } = this.#options
    try {
      const { Item } = await client.send(
        new GetCommand({
          TableName: tableName,
          Key: { [JOURNAL.partitionKey]: eventId },
          ConsistentRead: true
        })
      )
      if (!Item) return undefined
      const { payload, status, attempts = 0, processors = {} } = Item
      return { event: payload && JSON.parse(gunzipSync(payload).toString()), status, attempts, processors }
    } catch (error) {
      throw journalUnavailable(error)
    }
  }

  /** Opens a finished event for an operator's run, once for each run. */
  async #beginRun(eventId: string, run: string): Promise<void> {
    const { client, tableName } = this.#options
    try {
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { [JOURNAL.partitionKey]: eventId },
          UpdateExpression:
            'SET #run = :run, #status = :retrying REMOVE #attempts, firstAttempt, finishedAt, #reason, lastError',
          ConditionExpression: 'attribute_not_exists(#run) OR #run <> :run',
          ExpressionAttributeNames: {
            '#run': 'run',
            '#status': 'status',
            '#attempts': 'attempts',
            '#reason': 'reason'
          },
          ExpressionAttributeValues: { ':run': run, ':retrying': 'retrying' }
        })
      )
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw journalUnavailable(error)
    }
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString()
  }

  /** What an event was; written once, whoever delivers it again. */
  #description(event: AssetEvent): Record<string, Change> {
    const { id, payload: _, group, run: __, ...described } = event
    const payload = gzipSync(JSON.stringify(event))
    const keep = payload.length <= MAXIMUM_PAYLOAD_BYTES
    const attributes = {
      ...described,
      [JOURNAL.feedIndex.partitionKey]: feedShard(id, event.receivedAt),
      [JOURNAL.timeToLive]: Math.floor(this.#options.clock() / 1000) + this.#options.retentionDays * 86_400,
      ...(keep ? { payload } : { payloadOmitted: true })
    }
    return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, { ifAbsent: value }]))
  }

  /** Changes an event that is not finished, and returns all of it if asked to: that is the payload as well. */
  async #update(
    eventId: string,
    changes: Record<string, Change>,
    {
      processor,
      ReturnValues = 'NONE'
    }: {
      processor?: { name: string; record: ProcessorRecord } | undefined
      ReturnValues?: 'ALL_NEW' | 'NONE'
    } = {}
  ): Promise<Record<string, unknown>> {
    const { client, tableName } = this.#options
    const input = updateOf(changes)
    if (processor) {
      input.set.push('#processors.#processor = :processor')
      Object.assign(input.names, { '#processors': 'processors', '#processor': processor.name })
      Object.assign(input.values, { ':processor': cutTexts(processor.record) })
    }
    const command: UpdateCommandInput = {
      TableName: tableName,
      Key: { [JOURNAL.partitionKey]: eventId },
      UpdateExpression: [
        `SET ${input.set.join(', ')}`,
        ...(input.add.length > 0 ? [`ADD ${input.add.join(', ')}`] : [])
      ].join(' '),
      ConditionExpression: 'attribute_not_exists(#current) OR #current IN (:unfinished0, :unfinished1)',
      ExpressionAttributeNames: { '#current': 'status', ...input.names },
      ExpressionAttributeValues: {
        ':unfinished0': UNFINISHED[0],
        ':unfinished1': UNFINISHED[1],
        ...input.values
      },
      ReturnValues
    }
    return (await client.send(new UpdateCommand(command))).Attributes ?? {}
  }
}

/** A user's code may return and throw texts of any length, and what is no text where its types are not checked. */
const cutTexts = (fields: object) =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        typeof value === 'number' ? value : String(value).slice(0, LONGEST_TEXT).toWellFormed()
      ])
  )

/** What is refused for what it is, as an item that is too large, would be refused for ever. */
const isRefusal = (error: unknown) => error instanceof Error && error.name === 'ValidationException'
