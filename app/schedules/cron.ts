import { Cron } from 'croner'

/** The part of a schedule that this file reads. */
interface CronTime {
  cron: string
  timezone: string
}

const SECOND_MS = 1000

/** Returns what is wrong with a cron expression; undefined if nothing is. */
export function problemOfCron(cron: string): string | undefined {
  const example = 'use five fields such as "0 3 * * *": minute, hour, day of month, month, day of week'
  try {
    const next = parse({ cron, timezone: 'UTC' }).nextRun()
    return next ? undefined : `matches no time; ${example}`
  } catch {
    return `is not a cron expression; ${example}`
  }
}

/** Returns the last time up to now at which the schedule was due; undefined if there was none. */
export function lastSlot(time: CronTime, now: number): Date | undefined {
  // croner looks before the time that it is given
  const next = Math.floor(now / SECOND_MS) * SECOND_MS + SECOND_MS
  const [slot] = parse(time).previousRuns(1, new Date(next))
  return slot
}

/** Returns when the schedule is due next; undefined if never. */
export function nextSlot(time: CronTime, now: number): Date | undefined {
  return parse(time).nextRun(new Date(now)) ?? undefined
}

/** Starts no timer: the object has no function to call. */
const parse = ({ cron, timezone }: CronTime) => new Cron(cron, { timezone, mode: '5-part' })
