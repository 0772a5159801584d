import type { AssetEvent } from '../../ingest/event.ts'
import type { Print } from '../arguments.ts'
import { assetOf, count, isoOf, lineOf, NEXT_AFTER_DRY_RUN, numberOf } from '../report-line.ts'
import type { ChangeKind } from './change-kinds.ts'
import type { SearchWindow } from './search-windows.ts'

/** How the pass over a cloud ended. The next pass resumes one that is not `done`. */
export type PassOutcome =
  | { outcome: 'done' }
  | { outcome: 'limited'; until: Date; why: string }
  | { outcome: 'interrupted' }
  | { outcome: 'failed'; why: string }

/** Prints the progress of a run over all its clouds, and a summary. */
export class ReconcileReport {
  readonly #print: Print
  readonly #dryRun: boolean
  readonly #outcomes: PassOutcome[] = []
  #searched = 0
  #missing = 0

  constructor({ print, dryRun }: { print: Print; dryRun: boolean }) {
    this.#print = print
    this.#dryRun = dryRun
  }

  started(cloudName: string, { type }: ChangeKind, { from, until, why }: SearchWindow): void {
    this.#line(
      from < until
        ? `${cloudName}: ${type} from ${isoOf(from)} (${why}) to ${isoOf(until)}`
        : `${cloudName}: ${type}: already searched up to ${isoOf(until)}; later changes may still be notified`
    )
  }

  skipped(cloudName: string, { type }: ChangeKind): void {
    this.#line(
      `${cloudName}: ${type} left for the next pass: the queue has messages, and the journal does ` +
        'not show which events the workers have started'
    )
  }

  page(cloudName: string, { type }: ChangeKind, size: number, through: number): void {
    this.#searched += size
    this.#line(`… ${cloudName}: ${type}: ${count(size, 'asset')}, up to ${isoOf(through)}`)
  }

  /** Reports a missing event that was sent, or would be in a dry run. */
  missing(event: AssetEvent): void {
    this.#missing++
    const { id, type, occurredAt, origin } = event
    const label = this.#dryRun ? 'would send' : 'sent      '
    const own = origin.own ? ["the listener's own"] : []
    this.#line(label, id, type, assetOf(event), occurredAt, ...own)
  }

  undecided(cloudName: string, { type }: ChangeKind, number: number): void {
    this.#line(
      `… ${cloudName}: ${type}: ${count(number, 'change')} left for the next pass: another event of the ` +
        'asset is unfinished, or may still be notified'
    )
  }

  ended(cloudName: string, outcome: PassOutcome): void {
    this.#outcomes.push(outcome)
    if (outcome.outcome === 'done') return
    this.#line(`${cloudName}: stopped: ${outcome.outcome === 'interrupted' ? 'interrupted' : outcome.why}`)
  }

  /** Prints the totals and what to do next, and returns the exit code. */
  summarize(): number {
    const sent = this.#dryRun ? 'nothing was sent' : `${numberOf(this.#missing)} sent`
    this.#line(
      `${count(this.#searched, 'change')} searched, ${count(this.#missing, 'event')} missing, ${sent}.`
    )
    const next = this.#next()
    if (next) this.#line(next)
    return this.#outcomes.some(({ outcome }) => outcome === 'failed' || outcome === 'interrupted') ? 1 : 0
  }

  #next(): string | undefined {
    const has = (wanted: PassOutcome['outcome']) => this.#outcomes.some(({ outcome }) => outcome === wanted)
    if (has('failed')) return 'Next: fix the errors above and run it again; it resumes where it stopped.'
    const limits = this.#outcomes.flatMap((each) =>
      each.outcome === 'limited' ? [each.until.getTime()] : []
    )
    if (limits.length > 0) {
      return `Next: run it again after ${isoOf(Math.max(...limits))}; it resumes where it stopped.`
    }
    if (has('interrupted')) return 'Next: run it again; it resumes where it stopped.'
    if (this.#missing === 0) return undefined
    return this.#dryRun
      ? NEXT_AFTER_DRY_RUN
      : "Next: search the worker's log for these events. In the Cloudinary Console, Settings › Webhook " +
          'Notifications shows whether notifications of these types are sent at all.'
  }

  #line(...fields: string[]): void {
    this.#print(lineOf(...fields))
  }
}
