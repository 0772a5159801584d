import { setMaxListeners } from 'node:events'
import { ListenerError } from '../../errors.ts'
import { type AssetEvent, type RunOrigin, replayOf } from '../../ingest/event.ts'
import type { DeadLetterReader, ReceivedDeadLetter } from '../../queue/dead-letter-reader.ts'
import type { EventSender } from '../../queue/event-sender.ts'
import type { Print } from '../arguments.ts'
import { explain } from '../explain-error.ts'
import { type RedriveOutcome, RedriveReport } from './redrive-report.ts'

/** Selects dead letters by event ID and by event type. An empty list selects all. */
export interface RedriveArguments {
  ids: readonly string[]
  types: readonly string[]
  dryRun: boolean
}

export interface RedriveOptions {
  reader: Pick<DeadLetterReader, 'receive' | 'delete' | 'release'>
  sender: Pick<EventSender, 'store'>
  print: Print
  runId: string
  /** The author of the run, which the journal records with each event. */
  origin: RunOrigin
  /** Stops the moves when it aborts, and releases the dead letters in flight. */
  signal: AbortSignal
  /** Milliseconds since the epoch. */
  clock: () => number
  /** Maximum number of dead letters read before they are moved. (Default: 1000) */
  roundSize?: number
}

/** Maximum size of the dead letters read before they are moved, in bytes. */
const ROUND_BYTES = 16 * 1024 * 1024

/**
 * Maximum time from the start of the command to the arrival of a dead letter that it moves, in milliseconds.
 * Without a maximum the command might never end.
 */
const TOO_NEW_MS = 60_000

type Movable = ReceivedDeadLetter & { event: AssetEvent }

/**
 * Moves dead letters back to the queue, and returns the exit code. Deletes a dead letter only after the queue
 * has stored its event. Sends each event once, even if it has several dead letters. Sends the events of a
 * message group in the order in which they occurred, within a round.
 */
export async function moveDeadLetters(selection: RedriveArguments, options: RedriveOptions): Promise<number> {
  const { ids, types, dryRun } = selection
  const { print, runId, reader } = options
  const all = ids.length === 0 && types.length === 0
  const report = new RedriveReport({ print, runId, dryRun, ids, all })
  try {
    await new Redrive(selection, options, report).moveAll()
  } catch (error) {
    const hints = { missing: 'correct DEAD_LETTER_QUEUE_URL', permission: 'sqs:ReceiveMessage' }
    report.stopped = `cannot receive dead letters: ${explain(error, hints)}`
  } finally {
    await reader.release()
  }
  return report.summarize()
}

class Redrive {
  readonly #selection: RedriveArguments
  readonly #options: RedriveOptions & { roundSize: number }
  readonly #report: RedriveReport
  readonly #latest: number
  /** Events that the queue has stored. */
  readonly #sent = new Set<string>()
  /** Aborts when the queue fails, so that no further send starts. */
  readonly #queueFailed = new AbortController()

  constructor(selection: RedriveArguments, options: RedriveOptions, report: RedriveReport) {
    this.#selection = selection
    this.#options = { roundSize: 1000, ...options }
    this.#report = report
    this.#latest = options.clock() + TOO_NEW_MS
    setMaxListeners(0, this.#queueFailed.signal)
  }

  async moveAll(): Promise<void> {
    for (;;) {
      const { round, isFull } = await this.#readRound()
      const hasFreedGroup = await this.#handle(round)
      if (this.#options.signal.aborted) this.#report.stopped ??= 'interrupted'
      if (this.#report.stopped || !(isFull || hasFreedGroup)) return
      if (isFull) this.#report.progress()
    }
  }

  /** Reads dead letters until the round is full or two receives in a row return nothing. */
  async #readRound(): Promise<{ round: ReceivedDeadLetter[]; isFull: boolean }> {
    const { reader, roundSize, signal } = this.#options
    const round: ReceivedDeadLetter[] = []
    for (let empty = 0, bytes = 0; empty < 2 && !signal.aborted; ) {
      const received = await reader.receive()
      round.push(...received)
      empty = received.every(({ sentAt }) => sentAt > this.#latest) ? empty + 1 : 0
      for (const deadLetter of received) bytes += deadLetter.bytes
      if (round.length >= roundSize || bytes > ROUND_BYTES) return { round, isFull: true }
    }
    return { round, isFull: false }
  }

  /** Resolves to true if SQS may now return further dead letters of a message group. */
  async #handle(round: readonly ReceivedDeadLetter[]): Promise<boolean> {
    const movable: Movable[] = []
    for (const deadLetter of round) {
      const outcome = this.#plan(deadLetter)
      if (outcome === 'would move' && !this.#selection.dryRun) movable.push(deadLetter as Movable)
      else this.#report.add(deadLetter, outcome)
    }
    const groups = Map.groupBy(movable, ({ event }) => event.group)
    const freed = await Promise.all([...groups.values()].map((group) => this.#moveGroup(group)))
    return freed.includes(true)
  }

  #plan({ event, sentAt }: ReceivedDeadLetter): RedriveOutcome {
    const { ids, types } = this.#selection
    if (!event) return 'unreadable'
    if (event.run?.id === this.#options.runId) return 'failed again'
    if (sentAt > this.#latest) return 'too new'
    const isSelected =
      (ids.length === 0 || ids.includes(event.id)) && (types.length === 0 || types.includes(event.type))
    return isSelected ? 'would move' : 'not selected'
  }

  /**
   * Moves the events of one message group in sequence. After an error, the remaining events stay in the
   * dead-letter queue.
   */
  async #moveGroup(group: Movable[]): Promise<boolean> {
    const replays = replaysIn(group)
    const inOrder = group.toSorted((a, b) => Date.parse(a.event.occurredAt) - Date.parse(b.event.occurredAt))
    let hasFreedGroup = false
    let error: string | undefined
    for (const deadLetter of inOrder) {
      error = error
        ? 'an earlier event of the asset was not moved'
        : await this.#send(deadLetter.event, replays.get(deadLetter.event.id))
      if (error) {
        this.#report.add(deadLetter, 'not moved', error)
        continue
      }
      const deleted = await this.#options.reader.delete(deadLetter)
      this.#report.add(deadLetter, deleted ? 'moved' : 'not deleted')
      // SQS returns at most ten messages of a group at a time, and messages that SQS itself moved keep the
      // group
      hasFreedGroup ||= deleted && deadLetter.reason === undefined
    }
    return hasFreedGroup
  }

  /**
   * Sends an event once per run. Resolves to the error, or to undefined once the queue has stored the event.
   */
  async #send(event: AssetEvent, replay: string | undefined): Promise<string | undefined> {
    const { sender, runId, origin, signal } = this.#options
    if (this.#sent.has(event.id)) return
    if (signal.aborted) return 'interrupted'
    const run = { kind: 'redrive', id: runId, ...(replay && { replay }), ...origin } as const
    const again: AssetEvent = { ...event, run }
    try {
      this.#queueFailed.signal.throwIfAborted()
      await sender.store([again], this.#queueFailed.signal)
      this.#sent.add(event.id)
      return
    } catch (error) {
      const { cause = error } = error as Error
      const why = explain(cause, { missing: 'correct QUEUE_URL', permission: 'sqs:SendMessage' })
      // an error of the listener concerns one event, such as its size; any other error would fail every event
      if (!(cause instanceof ListenerError)) {
        this.#report.stopped ??= `cannot send to the queue: ${why}`
        this.#queueFailed.abort(new ListenerError('QUEUE_UNAVAILABLE', why))
      }
      return why
    }
  }
}

/**
 * Returns the replay that each event belongs to: the latest replay among its dead letters. A replay runs all
 * processors, so it includes what the other dead letters of the event need.
 */
function replaysIn(deadLetters: readonly Movable[]): Map<string, string> {
  const replays = new Map<string, string>()
  for (const { event } of deadLetters.toSorted((a, b) => a.sentAt - b.sentAt)) {
    const replay = replayOf(event.run)
    if (replay) replays.set(event.id, replay)
  }
  return replays
}
