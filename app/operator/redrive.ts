import { type AssetEvent, EVENT_TYPES } from '../cloudinary/event.ts'
import { ListenerError } from '../errors.ts'
import type { Outbox } from '../queue/outbox.ts'
import { type Print, readArguments, UsageError } from './arguments.ts'
import { explain } from './explain.ts'
import type { Letter, Letters } from './letters.ts'
import { assetOf, count, lineOf } from './text.ts'

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
  outbox: Pick<Outbox, 'store'>
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

/** How a letter ended; only `moved` has left the dead-letter queue. */
type Fate = 'moved' | 'movable' | 'kept' | 'died again' | 'late' | 'unreadable' | 'failed' | 'undeleted'

/** What the letters that are read before they are moved may hold, in bytes. */
const ROUND_BYTES = 16 * 1024 * 1024

/** Letters put aside so much later than the command began are left, or it might never end. In milliseconds. */
const LATE_MS = 60_000

type Movable = Letter & { event: AssetEvent }

const NEVER = new AbortController().signal

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
  const run = new Redrive(selection, options)
  try {
    await run.moveAll()
  } catch (error) {
    run.stopped = `cannot receive dead letters: ${explain(error, MEANINGS)}`
  } finally {
    await options.letters.handBack()
  }
  return run.summarize()
}

const MEANINGS = { missing: 'correct DEAD_LETTER_QUEUE_URL', permission: 'sqs:ReceiveMessage' }

class Redrive {
  /** Why it ended before all letters were read. */
  stopped: string | undefined
  readonly #selection: Selection
  readonly #options: RedriveOptions & { roundSize: number }
  readonly #startedAt: number
  readonly #fates = new Map<Fate, number>()
  /** The events that the queue has confirmed; in a dry run, those it would be sent. */
  readonly #moved = new Set<string>()
  readonly #found = new Set<string>()

  constructor(selection: Selection, options: RedriveOptions) {
    this.#selection = selection
    this.#options = { roundSize: 1000, ...options }
    this.#startedAt = options.clock()
  }

  async moveAll(): Promise<void> {
    const { print, signal } = this.#options
    for (let read = 0; ; ) {
      const { round, full } = await this.#readRound()
      read += round.length
      const movedAny = await this.#settle(round)
      if (signal.aborted) this.stopped ??= 'interrupted'
      // where letters of a message group were deleted, SQS gives out the next of them
      if (this.stopped || !(full || movedAny)) return
      if (full) print(`… ${count(read, 'letter')} read, ${count(this.#has('moved'), 'letter')} moved`)
    }
  }

  /** Letters up to the size of a round; fewer when two receives in a row brought none. */
  async #readRound(): Promise<{ round: Letter[]; full: boolean }> {
    const { letters, roundSize, signal } = this.#options
    const round: Letter[] = []
    for (let empty = 0, bytes = 0; empty < 2 && !signal.aborted; ) {
      const received = await letters.receive()
      round.push(...received)
      empty = received.every((letter) => this.#isLate(letter)) ? empty + 1 : 0
      for (const letter of received) bytes += letter.bytes
      if (round.length >= roundSize || bytes > ROUND_BYTES) return { round, full: true }
    }
    return { round, full: false }
  }

  #isLate({ sentAt }: Letter): boolean {
    return sentAt > this.#startedAt + LATE_MS
  }

  /** Resolves to true when a letter was deleted. */
  async #settle(round: readonly Letter[]): Promise<boolean> {
    const movable: Movable[] = []
    for (const letter of round) {
      const fate = this.#fateOf(letter)
      if (fate === 'movable') movable.push(letter as Movable)
      else this.#settled(letter, fate)
    }
    const groups = Map.groupBy(movable, ({ event }) => event.group)
    const moved = await Promise.all([...groups.values()].map((group) => this.#moveGroup(group)))
    return moved.includes(true)
  }

  #fateOf(letter: Letter): Fate {
    const { ids, types } = this.#selection
    const { event } = letter
    if (!event) return 'unreadable'
    if (ids.includes(event.id)) this.#found.add(event.id)
    if (event.run?.id === this.#options.runId) return 'died again'
    if (this.#isLate(letter)) return 'late'
    const matches =
      (ids.length === 0 || ids.includes(event.id)) && (types.length === 0 || types.includes(event.type))
    return matches ? 'movable' : 'kept'
  }

  /** Moves the events of one message group, one after the other; where one fails, the later ones stay behind it. */
  async #moveGroup(group: Movable[]): Promise<boolean> {
    const { letters } = this.#options
    const inOrder = group.toSorted((a, b) => Date.parse(a.event.occurredAt) - Date.parse(b.event.occurredAt))
    let movedAny = false
    let failure: string | undefined
    for (const letter of inOrder) {
      if (this.#selection.dryRun) {
        this.#moved.add(letter.event.id)
        this.#settled(letter, 'movable')
        continue
      }
      failure = failure ? 'it stays behind one of its asset that was not moved' : await this.#send(letter.event)
      if (failure) {
        this.#settled(letter, 'failed', failure)
        continue
      }
      const deleted = await letters.delete(letter)
      this.#settled(letter, deleted ? 'moved' : 'undeleted')
      movedAny ||= deleted
    }
    return movedAny
  }

  /** Resolves to nothing when the queue has confirmed the event, now or earlier in this run; else to what failed. */
  async #send(event: AssetEvent): Promise<string | undefined> {
    const { outbox, runId, signal } = this.#options
    if (this.#moved.has(event.id)) return
    if (this.stopped || signal.aborted) return this.stopped ?? 'interrupted'
    try {
      await outbox.store([{ ...event, run: { kind: 'redrive', id: runId } }], NEVER)
      this.#moved.add(event.id)
      return
    } catch (error) {
      const { cause = error } = error as Error
      const why = explain(cause, { permission: 'sqs:SendMessage', missing: 'correct QUEUE_URL' })
      // of a message that SQS refuses the others know nothing; a queue that fails, fails for all
      if (!(cause instanceof ListenerError)) this.stopped ??= `cannot send to the queue: ${why}`
      return why
    }
  }

  #settled({ id, event, reason, sentAt }: Letter, fate: Fate, failure?: string): void {
    this.#fates.set(fate, this.#has(fate) + 1)
    const what = event ? [event.id, event.type, assetOf(event)] : [`message ${id}`]
    const why = reason
      ? [...(reason.processor ? [reason.processor] : []), `${reason.code}: ${reason.message}`]
      : ['put aside by SQS: received too often']
    this.#options.print(
      lineOf(
        LABELS[fate].padEnd(10),
        ...what,
        new Date(sentAt).toISOString(),
        ...why,
        ...(failure ? [`(${failure})`] : [])
      )
    )
  }

  #has(fate: Fate): number {
    return this.#fates.get(fate) ?? 0
  }

  /** Says how it went and what to look at next, and returns the exit code. */
  summarize(): number {
    const { print, runId } = this.#options
    const { ids, types, dryRun } = this.#selection
    const missing = ids.filter((id) => !this.#found.has(id))
    for (const id of missing) print(lineOf('not found ', id, 'no dead letter of this event'))
    if (this.stopped) print(`stopped: ${this.stopped}`)

    const events = count(this.#moved.size, 'event')
    const letters = count(this.#has('moved') + this.#has('undeleted') + this.#has('movable'), 'letter')
    const left = LEFT.filter(([fate]) => this.#has(fate) > 0).map(
      ([fate, why]) => `${this.#has(fate)} ${why}`
    )
    const moved = dryRun
      ? `Would move ${events} (${letters}); nothing was moved`
      : `Moved ${events} (${letters}) as run ${runId}`
    print(`${moved}. Left: ${left.join(', ') || 'none'}.`)
    for (const line of this.#whatNext()) print(line)

    const unmoved = this.#has('failed') + this.#has('undeleted') + missing.length
    const asksForAll = ids.length === 0 && types.length === 0 && !dryRun
    return this.stopped || unmoved > 0 || (asksForAll && this.#has('unreadable') > 0) ? 1 : 0
  }

  *#whatNext(): Iterable<string> {
    if (this.stopped || this.#has('failed') + this.#has('undeleted') > 0) {
      yield 'Next: run it again. What was moved already is not run twice.'
    } else if (this.#selection.dryRun && this.#moved.size > 0) {
      yield 'Next: run it without --dry-run.'
    } else if (this.#moved.size > 0) {
      yield "Next: the worker's log has these events with run redrive; node app/main.ts doctor says what is left."
    }
    if (this.#has('died again') > 0) {
      yield 'Some died again while this ran: mend what their reason says before you run it again.'
    }
  }
}

/** What each letter's line begins with. */
const LABELS: Record<Fate, string> = {
  moved: 'moved',
  movable: 'would move',
  kept: 'kept',
  'died again': 'died again',
  late: 'kept',
  unreadable: 'unreadable',
  failed: 'not moved',
  undeleted: 'moved'
}

const LEFT: [Fate, string][] = [
  ['kept', 'not asked for'],
  ['late', 'put aside after this began'],
  ['died again', 'died again'],
  ['unreadable', 'unreadable (not written by this listener)'],
  ['failed', 'not moved'],
  ['undeleted', 'moved but not deleted, so that the next redrive moves it again']
]
