import { commandLine } from '../../own-command.ts'
import type { ReceivedDeadLetter } from '../../queue/dead-letter-reader.ts'
import type { Print } from '../arguments.ts'
import { assetOf, count, isoOf, lineOf, NEXT_AFTER_DRY_RUN } from '../report-line.ts'

/** How the line of a dead letter begins, and how the summary counts it if it stays in the queue. */
const OUTCOMES = {
  moved: { label: 'moved' },
  'would move': { label: 'would move' },
  'not selected': { label: 'kept', left: 'not selected' },
  'too new': { label: 'kept', left: 'added during this run' },
  'failed again': { label: 'failed again', left: 'failed again' },
  unreadable: { label: 'unreadable', left: 'unreadable (not written by this listener)' },
  'not moved': { label: 'not moved', left: 'not moved' },
  'not deleted': { label: 'not deleted', left: 'moved but not deleted (the next redrive moves it again)' }
} as const satisfies Record<string, { label: string; left?: string }>

/** The outcome of a dead letter. Only those that are `moved` have left the dead-letter queue. */
export type RedriveOutcome = keyof typeof OUTCOMES

export interface ReportOptions {
  print: Print
  runId: string
  dryRun: boolean
  /** The event IDs that the user selected. */
  ids: readonly string[]
  /** True if the user selected all events. */
  all: boolean
}

/** Prints the outcome of each dead letter of a redrive, and a summary. */
export class RedriveReport {
  /** Why the redrive stopped before it had read all dead letters. */
  stopped: string | undefined
  readonly #options: ReportOptions
  readonly #counts = new Map<RedriveOutcome, number>()
  readonly #found = new Set<string>()
  readonly #moved = new Set<string>()

  constructor(options: ReportOptions) {
    this.#options = options
  }

  /** @param error why the dead letter was not moved */
  add({ id, event, reason, sentAt }: ReceivedDeadLetter, outcome: RedriveOutcome, error?: string): void {
    this.#counts.set(outcome, this.#count(outcome) + 1)
    if (event) this.#found.add(event.id)
    if (event && ['moved', 'would move', 'not deleted'].includes(outcome)) this.#moved.add(event.id)
    const about = event ? [event.id, event.type, assetOf(event)] : [`message ${id}`]
    const why = reason
      ? [...(reason.processor ? [reason.processor] : []), `${reason.code}: ${reason.message}`]
      : ['dead-lettered by SQS: received too often']
    const line = [OUTCOMES[outcome].label.padEnd(12), ...about, isoOf(sentAt), ...why]
    this.#options.print(lineOf(...line, ...(error ? [`(${error})`] : [])))
  }

  progress(): void {
    const read = this.#counts.values().reduce((sum, number) => sum + number, 0)
    this.#options.print(`… ${count(read, 'dead letter')} read, ${this.#count('moved')} moved`)
  }

  /** Prints the totals and what to do next, and returns the exit code. */
  summarize(): number {
    const { print, runId, dryRun, ids, all } = this.#options
    const missing = ids.filter((id) => !this.#found.has(id))
    for (const id of missing) print(lineOf('not found   ', id, 'this event has no dead letter'))
    if (this.stopped) print(lineOf(`stopped: ${this.stopped}`))

    const events = count(this.#moved.size, 'event')
    const deadLetters = count(this.#count('moved', 'not deleted', 'would move'), 'dead letter')
    const left = [...this.#counts].flatMap(([outcome, number]) => {
      const description = OUTCOMES[outcome]
      return 'left' in description ? [`${number} ${description.left}`] : []
    })
    const moved = dryRun
      ? `Would move ${events} (${deadLetters}); nothing was moved.`
      : `Moved ${events} (${deadLetters}) as run ${runId}.`
    const isEmpty = this.#counts.size === 0 && !this.stopped
    print(isEmpty ? 'The dead-letter queue is empty.' : `${moved} Left: ${left.join(', ') || 'none'}.`)
    for (const line of this.#next()) print(line)

    const unmoved = this.#count(
      'not moved',
      'not deleted',
      ...(all && !dryRun ? ['unreadable' as const] : [])
    )
    return this.stopped || unmoved + missing.length > 0 ? 1 : 0
  }

  *#next(): Iterable<string> {
    if (this.stopped || this.#count('not moved', 'not deleted') > 0) {
      yield 'Next: fix the errors above and run it again. Nothing is lost, and nothing runs twice.'
    } else if (this.#moved.size > 0) {
      yield this.#options.dryRun
        ? NEXT_AFTER_DRY_RUN
        : `Next: search the worker's log for this run; ${commandLine('doctor')} counts what is left.`
    }
    if (this.#count('failed again') > 0) {
      yield 'Some events failed again during this run: fix the cause before you run it again.'
    }
  }

  #count(...outcomes: RedriveOutcome[]): number {
    return outcomes.reduce((sum, outcome) => sum + (this.#counts.get(outcome) ?? 0), 0)
  }
}
