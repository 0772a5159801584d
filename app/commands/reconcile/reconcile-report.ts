import type { AssetEvent } from '../../ingest/event.ts'
import type { Print } from '../arguments.ts'
import { assetOf, count, lineOf } from '../report-line.ts'
import type { PassEnd } from './reconcile-pass.ts'
import type { Window } from './search-windows.ts'
import type { Side } from './tracked-changes.ts'

interface Counts {
  looked: number
  found: number
  sent: number
}

/** What a run of `reconcile` says, of all its clouds. */
export class Report {
  readonly #print: Print
  readonly #dryRun: boolean
  readonly #counts: Counts = { looked: 0, found: 0, sent: 0 }
  readonly #ends: { cloudName: string; end: PassEnd }[] = []

  constructor({ print, dryRun }: { print: Print; dryRun: boolean }) {
    this.#print = print
    this.#dryRun = dryRun
  }

  /** What is said of the pass over one cloud. */
  of(cloudName: string): PassReport {
    return new PassReport({ cloudName, print: this.#print, dryRun: this.#dryRun, counts: this.#counts })
  }

  ended(cloudName: string, end: PassEnd): void {
    this.#ends.push({ cloudName, end })
    if (end.outcome === 'done') return
    const why = end.outcome === 'interrupted' ? 'interrupted' : end.why
    this.#print(lineOf(`${cloudName}: stopped: ${why}`))
  }

  /** Says how it went and what to do next, and returns the exit code. */
  summarize(): number {
    const { looked, found, sent } = this.#counts
    const done = this.#dryRun ? 'nothing was sent' : `${sent.toLocaleString('en-US')} sent`
    this.#print(`${count(looked, 'change')} looked at, ${count(found, 'event')} missing, ${done}.`)
    for (const line of this.#next()) this.#print(line)
    return this.#ends.some(({ end }) => end.outcome === 'failed' || end.outcome === 'interrupted') ? 1 : 0
  }

  *#next(): Iterable<string> {
    const ends = this.#ends.map(({ end }) => end)
    const limits = ends.flatMap((end) => (end.outcome === 'limited' ? [end.until.getTime()] : []))
    if (ends.some(({ outcome }) => outcome === 'failed')) {
      yield 'Next: mend what is said above, and run it again; it goes on where it was.'
    } else if (limits.length > 0) {
      const until = new Date(Math.max(...limits)).toISOString()
      yield `Next: run it again after ${until}; it goes on where it was.`
    } else if (ends.some(({ outcome }) => outcome === 'interrupted')) {
      yield 'Next: run it again; it goes on where it was.'
    } else if (this.#counts.found > 0) {
      yield this.#dryRun
        ? 'Next: run it without --dry-run.'
        : "Next: the worker's log has these events; in the Cloudinary Console, Settings › Webhook Notifications " +
          'says whether notifications of these types are sent at all.'
    }
  }
}

/** What is said of the pass over one cloud. */
export class PassReport {
  readonly #cloudName: string
  readonly #print: Print
  readonly #dryRun: boolean
  readonly #counts: Counts

  constructor(options: { cloudName: string; print: Print; dryRun: boolean; counts: Counts }) {
    this.#cloudName = options.cloudName
    this.#print = options.print
    this.#dryRun = options.dryRun
    this.#counts = options.counts
  }

  begins(side: Side, { from, until, why }: Window): void {
    const about = `${this.#cloudName}: ${side.type}`
    this.#print(
      lineOf(
        from < until
          ? `${about} from ${isoOf(from)} (${why}) to ${isoOf(until)}`
          : `${about}: looked at up to ${isoOf(until)} already; what is younger may still be notified`
      )
    )
  }

  /** Changes cannot be told from those that wait in the queue. */
  skipped(side: Side): void {
    this.#print(
      lineOf(
        `${this.#cloudName}: ${side.type} left for the next pass: events wait in the queue, and the journal does not show how far workers have come`
      )
    )
  }

  /** Called when the event is stored, or would be. */
  found(event: AssetEvent): void {
    this.#counts.found++
    if (!this.#dryRun) this.#counts.sent++
    const { id, type, occurredAt, origin } = event
    const fate = this.#dryRun ? 'would send' : 'sent      '
    this.#print(
      lineOf(fate, id, type, assetOf(event), occurredAt, ...(origin.own ? ["the listener's own"] : []))
    )
  }

  /** Changes that may be in the queue behind an event of their asset, or whose asset has changed again lately. */
  undecided(side: Side, number: number): void {
    this.#print(
      lineOf(
        `… ${this.#cloudName}: ${side.type}: ${count(number, 'change')} left for the next pass: another event of the asset is not finished, or may still be notified`
      )
    )
  }

  page(side: Side, size: number, through: number): void {
    this.#counts.looked += size
    this.#print(
      lineOf(`… ${this.#cloudName}: ${side.type}: ${count(size, 'asset')}, up to ${isoOf(through)}`)
    )
  }
}

const isoOf = (time: number) => new Date(time).toISOString()
