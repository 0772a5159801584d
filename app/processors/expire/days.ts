/** A day, such as 2026-11-28: the values of metadata fields of type date. */
export type Day = string

const DAY_MS = 86_400_000

/** Returns the day at a time in a time zone. */
export const dayAt = (time: number, timeZone: string): Day =>
  // Swedish writes dates as ISO 8601 does
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }).format(time)

/** Returns a value of a date field; undefined for anything else. */
export function dayOf(value: unknown): Day | undefined {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(value)) return undefined
  const time = Date.parse(value)
  // Date accepts 30 February in some engines
  return Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== value ? undefined : value
}

/** Returns the number of days from one day to another; negative if `until` is earlier. */
export const daysBetween = (from: Day, until: Day): number => (Date.parse(until) - Date.parse(from)) / DAY_MS

export const plusDays = (day: Day, days: number): Day =>
  new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10)
