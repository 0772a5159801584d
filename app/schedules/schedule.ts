import { z } from 'zod'
import { checkOptions } from '../processors/processor-options.ts'
import { problemOfCron } from './cron.ts'

/** A search that is run by cron. Each asset that it finds becomes an event of type `scheduled_search`. */
export interface Schedule {
  /** Unique in the listener. Its events have it in `payload.schedule`. */
  name: string
  /** Minute, hour, day of month, month, day of week. */
  cron: string
  /** Time zone of `cron`, such as `Europe/Berlin`. */
  timezone: string
  /** Returns the search expression for a slot: a time at which the schedule is due. */
  expression: (slot: Date) => string
  /** Names of the clouds to search. Undefined for all. */
  environments: readonly string[] | undefined
}

/** Name of a schedule: part of keys in the journal. */
export const SCHEDULE_NAME = z
  .string()
  .regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-"')

export const CRON = z.string().superRefine((cron, context) => {
  const problem = problemOfCron(cron)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

export const TIMEZONE = z.string().refine(isTimezone, 'must be a time zone such as Europe/Berlin or UTC')

const Options = z.strictObject({
  name: SCHEDULE_NAME,
  cron: CRON,
  timezone: TIMEZONE.default('UTC'),
  expression: z.union([
    z.string().min(1),
    z.custom<(slot: Date) => string>((value) => typeof value === 'function')
  ]),
  environments: z.array(z.string().min(1)).min(1).readonly().optional()
})

/** @see schedule */
export type ScheduleOptions = z.input<typeof Options>

/**
 * Declares a search that the command `schedules` runs by cron. Costs one call of the Admin API for each 500
 * assets found.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function schedule(options: ScheduleOptions): Schedule {
  const { name, cron, timezone, expression, environments } = checkOptions('schedule', Options, options)
  return {
    name,
    cron,
    timezone,
    expression: typeof expression === 'string' ? () => expression : expression,
    environments
  }
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}
