import type { Print } from '../arguments.ts'
import { assetOf, count, lineOf } from '../report-line.ts'
import type { Letter } from './dead-letter-reader.ts'

/** What became of a letter; only those `moved` have left the dead-letter queue. */
export type Fate =
  | 'moved'
  | 'movable'
  | 'kept'
  | 'died again'
  | 'late'
  | 'unreadable'
  | 'failed'
  | 'undeleted'

/** What a letter's line begins with, and for those that stay how the summary counts them. */
const FATES: Record<Fate, { label: string; left?: string }> = {
  moved: { label: 'moved' },
  movable: { label: 'would move' },
  kept: { label: 'kept', left: 'not asked for' },
  late: { label: 'kept', left: 'put aside after this began' },
  'died again': { label: 'died again', left: 'died again' },
  unreadable: { label: 'unreadable', left: 'unreadable (not written by this listener)' },
  failed: { label: 'not moved', left: 'not moved' },
  undeleted: { label: 'moved', left: 'moved but not deleted, so that the next redrive moves it again' }
}

export interface ReportOptions {
  print: Print
  runId: string
  dryRun: boolean
  /** The events that were asked for by id. */
  ids: readonly string[]
  /** Any event was asked for. */
  all: boolean
}

/** Prints what a redrive does with each letter, and how it went. */
export class RedriveReport {
  /** Why it ended before all letters were read. */
  stopped: string | undefined
  readonly #options: ReportOptions
  readonly #counts = new Map<Fate, number>()
  readonly #found = new Set<string>()
  readonly #moved = new Set<string>()

  constructor(options: ReportOptions) {
    this.#options = options
  }

  /** @param failure why it was not moved */
  settled({ id, event, reason, sentAt }: Letter, fate: Fate, failure?: string): void {
    this.#counts.set(fate, this.#count(fate) + 1)
    if (event) this.#found.add(event.id)
    if (event && ['moved', 'movable', 'undeleted'].includes(fate)) this.#moved.add(event.id)
    const what = event ? [event.id, event.type, assetOf(event)] : [`message ${id}`]
    const why = reason
      ? [...(reason.processor ? [reason.processor] : []), `${reason.code}: ${reason.message}`]
      : ['put aside by SQS: received too often']
    const when = new Date(sentAt).toISOString()
    const line = [FATES[fate].label.padEnd(10), ...what, when, ...why]
    this.#options.print(lineOf(...line, ...(failure ? [`(${failure})`] : [])))
  }

  progress(): void {
    const read = this.#counts.values().reduce((sum, number) => sum + number, 0)
    this.#options.print(`… ${count(read, 'letter')} read, ${count(this.#count('moved'), 'letter')} moved`)
  }

  /** Says how it went and what to look at next, and returns the exit code. */
  summarize(): number {
    const { print, runId, dryRun, ids, all } = this.#options
    const missing = ids.filter((id) => !this.#found.has(id))
    for (const id of missing) print(lineOf('not found ', id, 'no dead letter of this event'))
    if (this.stopped) print(lineOf(`stopped: ${this.stopped}`))

    const events = count(this.#moved.size, 'event')
    const letters = count(this.#count('moved', 'undeleted', 'movable'), 'letter')
    const left = [...this.#counts].flatMap(([fate, number]) => {
      const why = FATES[fate].left
      return why ? [`${number} ${why}`] : []
    })
    const moved = dryRun
      ? `Would move ${events} (${letters}); nothing was moved.`
      : `Moved ${events} (${letters}) as run ${runId}.`
    const isEmpty = this.#counts.size === 0 && !this.stopped
    print(isEmpty ? 'The dead-letter queue has no letters.' : `${moved} Left: ${left.join(', ') || 'none'}.`)
    for (const line of this.#next()) print(line)

    const unmoved = this.#count('failed', 'undeleted', ...(all && !dryRun ? ['unreadable' as const] : []))
    return this.stopped || unmoved + missing.length > 0 ? 1 : 0
  }

  *#next(): Iterable<string> {
    if (this.stopped || this.#count('failed', 'undeleted') > 0) {
      yield 'Next: mend what is said above, and run it again; nothing is lost, and nothing that succeeded is run twice.'
    } else if (this.#moved.size > 0) {
      yield this.#options.dryRun
        ? 'Next: run it without --dry-run.'
        : "Next: the worker's log has these events with run redrive; node app/main.ts doctor says what is left."
    }
    if (this.#count('died again') > 0) {
      yield 'Some died again while this ran: mend what their reason says before you run it again.'
    }
  }

  #count(...fates: Fate[]): number {
    return fates.reduce((sum, fate) => sum + (this.#counts.get(fate) ?? 0), 0)
  }
}
