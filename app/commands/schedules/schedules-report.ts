import type { AssetEvent } from '../../ingest/event.ts'
import { nextSlot } from '../../schedules/cron.ts'
import type { Schedule } from '../../schedules/schedule.ts'
import type { Print } from '../arguments.ts'
import { assetOf, count, isoOf, lineOf, NEXT_AFTER_DRY_RUN, numberOf } from '../report-line.ts'
import type { ScheduleOutcome } from './run-schedule.ts'

export interface SchedulesReportOptions {
  print: Print
  dryRun: boolean
  /** True to print neither schedules that are not due nor a summary. */
  isQuiet: boolean
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** Prints the outcome of each schedule in each cloud, and a summary. */
export class SchedulesReport {
  readonly #options: SchedulesReportOptions
  readonly #outcomes: ScheduleOutcome[] = []
  #events = 0

  constructor(options: SchedulesReportOptions) {
    this.#options = options
  }

  /** Reports events that were sent; prints them in a dry run. */
  events(events: readonly AssetEvent[]): void {
    this.#events += events.length
    if (!this.#options.dryRun) return
    for (const event of events)
      this.#line('would send', event.id, String(event.payload.schedule), assetOf(event))
  }

  ended(cloudName: string, schedule: Schedule, outcome: ScheduleOutcome): void {
    this.#outcomes.push(outcome)
    if (outcome.outcome === 'idle' && this.#options.isQuiet) return
    this.#line(cloudName, schedule.name, this.#describe(schedule, outcome))
  }

  /** Prints the totals and what to do next, and returns the exit code. */
  summarize(): number {
    const { isQuiet, dryRun } = this.#options
    const has = (...wanted: ScheduleOutcome['outcome'][]) =>
      this.#outcomes.filter(({ outcome }) => wanted.includes(outcome)).length
    if (!isQuiet) {
      const sent = dryRun ? 'nothing was sent' : `${numberOf(this.#events)} sent`
      const due = this.#outcomes.length - has('idle')
      this.#line(`${count(due, 'schedule')} due, ${count(this.#events, 'asset')} found, ${sent}.`)
      if (this.#outcomes.length === 0)
        this.#line(
          'Next: add schedule({ name, cron, expression }) or a processor with schedules to listener.config.ts.'
        )
      else if (has('failed') > 0) this.#line('Next: fix the errors above and run it again; it resumes.')
      else if (has('limited', 'interrupted') > 0) this.#line('Next: run it again; it resumes.')
      else if (dryRun && this.#events > 0) this.#line(NEXT_AFTER_DRY_RUN)
    }
    return has('failed', 'interrupted') > 0 ? 1 : 0
  }

  #describe(schedule: Schedule, outcome: ScheduleOutcome): string {
    switch (outcome.outcome) {
      case 'idle': {
        const next = nextSlot(schedule, this.#options.clock())
        return `${outcome.isNew ? 'new' : 'not due'}; ${next ? `next at ${isoOf(next.getTime())}` : 'never due again'}`
      }
      case 'done':
        return `due at ${outcome.slot}: ${count(outcome.found, 'asset')} found`
      case 'interrupted':
        return 'stopped: interrupted'
      case 'limited':
      case 'failed':
        return `stopped: ${outcome.why}`
    }
  }

  #line(...fields: string[]): void {
    this.#options.print(lineOf(...fields))
  }
}
