import { setMaxListeners } from 'node:events'
import { readConfig } from '../../config.ts'
import { ListenerError } from '../../errors.ts'
import { type AssetEvent, EVENT_TYPES, replayOf } from '../../ingest/event.ts'
import { SILENT } from '../../logger.ts'
import { EventSender } from '../../queue/event-sender.ts'
import { createRegionalSqs, newRunId, RECEIVE_MS } from '../../wiring.ts'
import { type Print, readArguments, UsageError } from '../arguments.ts'
import type { Command } from '../command.ts'
import { explain } from '../explain-error.ts'
import { interruption } from '../interruption.ts'
import { type Letter, Letters } from './dead-letter-reader.ts'
import { type Fate, RedriveReport } from './redrive-report.ts'

export const REDRIVE_USAGE = `Usage: node app/main.ts redrive [--id EVENT_ID]… [--type EVENT_TYPE]… [--dry-run]

Moves dead letters back to the queue, once what they died of is mended. Processors that succeeded for an event are
not run for it again. Prints each letter: what became of it, event id, type, asset, when it was put aside, processor,
reason.

  --id EVENT_ID      only letters of this event; may be repeated
  --type EVENT_TYPE  only letters of events of this type, such as upload; may be repeated
  --dry-run          moves nothing, and prints what would be moved

Exit code: 0; 1 when something could not be moved; 2 for a wrong option. Ctrl-C stops it in good order.
`

/** Which letters are to be moved: of any of these events and any of these types, where some are named. */
export interface Selection {
  ids: readonly string[]
  types: readonly string[]
  dryRun: boolean
}

export interface RedriveOptions {
  letters: Pick<Letters, 'receive' | 'delete' | 'handBack'>
  sender: Pick<EventSender, 'store'>
  print: Print
  /** Names this run. */
  runId: string
  /** Aborted, it moves no more letters and hands back what it holds. */
  signal: AbortSignal
  /** Milliseconds since the epoch. */
  clock: () => number
  /** How many letters are read before they are moved. */
  roundSize?: number
}

/** What the letters that are read before they are moved may hold, in bytes. */
const ROUND_BYTES = 16 * 1024 * 1024

/** Letters put aside so much later than the command began are left, or it might never end. In milliseconds. */
const LATE_MS = 60_000

type Movable = Letter & { event: AssetEvent }

/** @throws {UsageError} */
export function parseRedrive(args: string[]): Selection {
  const { values } = readArguments({
    args,
    options: {
      id: { type: 'string', multiple: true, default: [] },
      type: { type: 'string', multiple: true, default: [] },
      'dry-run': { type: 'boolean', default: false }
    }
  })
  const { id: ids, type: types } = values
  if (ids.includes('')) throw new UsageError('--id needs the id of an event')
  const unknown = types.find((type) => !(EVENT_TYPES as readonly string[]).includes(type))
  if (unknown !== undefined) {
    throw new UsageError(`--type "${unknown}" is no event type; they are: ${EVENT_TYPES.join(', ')}`)
  }
  return { ids, types, dryRun: values['dry-run'] }
}

/**
 * Moves dead letters back to the queue, and returns the exit code. A letter is deleted only when the queue has
 * confirmed its event; letters of one event are one run of it, and events of one message group go in the order in
 * which they occurred, as far as they are read together.
 */
export async function redrive(selection: Selection, options: RedriveOptions): Promise<number> {
  const { ids, types, dryRun } = selection
  const { print, runId, letters } = options
  const all = ids.length === 0 && types.length === 0
  const report = new RedriveReport({ print, runId, dryRun, ids, all })
  try {
    await new Redrive(selection, options, report).moveAll()
  } catch (error) {
    const meanings = { missing: 'correct DEAD_LETTER_QUEUE_URL', permission: 'sqs:ReceiveMessage' }
    report.stopped = `cannot receive dead letters: ${explain(error, meanings)}`
  } finally {
    await letters.handBack()
  }
  return report.summarize()
}

class Redrive {
  readonly #selection: Selection
  readonly #options: RedriveOptions & { roundSize: number }
  readonly #report: RedriveReport
  readonly #latest: number
  /** Events that the queue has confirmed. */
  readonly #sent = new Set<string>()
  /** Aborts when the queue fails: what has not left then is not sent. */
  readonly #queueFails = new AbortController()

  constructor(selection: Selection, options: RedriveOptions, report: RedriveReport) {
    this.#selection = selection
    this.#options = { roundSize: 1000, ...options }
    this.#report = report
    this.#latest = options.clock() + LATE_MS
    setMaxListeners(0, this.#queueFails.signal)
  }

  async moveAll(): Promise<void> {
    for (;;) {
      const { round, isFull } = await this.#readRound()
      const givesWay = await this.#settle(round)
      if (this.#options.signal.aborted) this.#report.stopped ??= 'interrupted'
      if (this.#report.stopped || !(isFull || givesWay)) return
      if (isFull) this.#report.progress()
    }
  }

  /** Letters up to the size of a round; fewer when two receives in a row brought none. */
  async #readRound(): Promise<{ round: Letter[]; isFull: boolean }> {
    const { letters, roundSize, signal } = this.#options
    const round: Letter[] = []
    for (let empty = 0, bytes = 0; empty < 2 && !signal.aborted; ) {
      const received = await letters.receive()
      round.push(...received)
      empty = received.every(({ sentAt }) => sentAt > this.#latest) ? empty + 1 : 0
      for (const letter of received) bytes += letter.bytes
      if (round.length >= roundSize || bytes > ROUND_BYTES) return { round, isFull: true }
    }
    return { round, isFull: false }
  }

  /** Moves what is to be moved; resolves to true when SQS may give out letters that were behind it. */
  async #settle(round: readonly Letter[]): Promise<boolean> {
    const movable: Movable[] = []
    for (const letter of round) {
      const fate = this.#fateOf(letter)
      if (fate === 'movable' && !this.#selection.dryRun) movable.push(letter as Movable)
      else this.#report.settled(letter, fate)
    }
    const groups = Map.groupBy(movable, ({ event }) => event.group)
    const giveWay = await Promise.all([...groups.values()].map((group) => this.#moveGroup(group)))
    return giveWay.includes(true)
  }

  #fateOf({ event, sentAt }: Letter): Fate {
    const { ids, types } = this.#selection
    if (!event) return 'unreadable'
    if (event.run?.id === this.#options.runId) return 'died again'
    if (sentAt > this.#latest) return 'late'
    const isAskedFor =
      (ids.length === 0 || ids.includes(event.id)) && (types.length === 0 || types.includes(event.type))
    return isAskedFor ? 'movable' : 'kept'
  }

  /** Moves the events of one message group, one after the other; where one fails, the later ones stay behind it. */
  async #moveGroup(group: Movable[]): Promise<boolean> {
    const replays = replaysIn(group)
    const inOrder = group.toSorted((a, b) => Date.parse(a.event.occurredAt) - Date.parse(b.event.occurredAt))
    let givesWay = false
    let failure: string | undefined
    for (const letter of inOrder) {
      failure = failure
        ? 'stays behind an earlier event of its asset'
        : await this.#send(letter.event, replays.get(letter.event.id))
      if (failure) {
        this.#report.settled(letter, 'failed', failure)
        continue
      }
      const deleted = await this.#options.letters.delete(letter)
      this.#report.settled(letter, deleted ? 'moved' : 'undeleted')
      // what SQS itself put aside keeps the message group of its asset, of which it gives out ten at a time
      givesWay ||= deleted && letter.reason === undefined
    }
    return givesWay
  }

  /** Resolves to nothing when the queue has confirmed the event, now or earlier in this run; else to what failed. */
  async #send(event: AssetEvent, replay: string | undefined): Promise<string | undefined> {
    const { sender, runId, signal } = this.#options
    if (this.#sent.has(event.id)) return
    if (signal.aborted) return 'interrupted'
    const again: AssetEvent = { ...event, run: { kind: 'redrive', id: runId, ...(replay && { replay }) } }
    try {
      this.#queueFails.signal.throwIfAborted()
      await sender.store([again], this.#queueFails.signal)
      this.#sent.add(event.id)
      return
    } catch (error) {
      // what the sender wraps says more of what to mend
      const { cause = error } = error as Error
      const why = explain(cause, { missing: 'correct QUEUE_URL', permission: 'sqs:SendMessage' })
      // a message may be refused for itself; a queue that fails, fails for all
      if (!(cause instanceof ListenerError)) {
        this.#report.stopped ??= `cannot send to the queue: ${why}`
        this.#queueFails.abort(new ListenerError('QUEUE_UNAVAILABLE', why))
      }
      return why
    }
  }
}

/**
 * The replay that each event belongs to by any of its letters, and the latest of several: a replay is to run everything,
 * and so does what the event's other letters ask for as well.
 */
function replaysIn(letters: readonly Movable[]): Map<string, string> {
  const replays = new Map<string, string>()
  for (const { event } of letters.toSorted((a, b) => a.sentAt - b.sentAt)) {
    const replay = replayOf(event.run)
    if (replay) replays.set(event.id, replay)
  }
  return replays
}

export const redriveCommand: Command = {
  summary: 'moves dead letters back to the queue, once their cause is fixed',
  usage: REDRIVE_USAGE,
  async run(args, print) {
    const selection = parseRedrive(args)
    const config = readConfig(['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL'])
    const sqs = await createRegionalSqs(RECEIVE_MS)
    return redrive(selection, {
      letters: new Letters({ sqs, queueUrl: config.DEAD_LETTER_QUEUE_URL, log: SILENT }),
      sender: new EventSender({ sqs, queueUrl: config.QUEUE_URL }),
      print,
      runId: newRunId(),
      signal: interruption(),
      clock: Date.now
    })
  }
}
