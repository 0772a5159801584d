import { type Html, html } from './html.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const dayFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
const yearFormat = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC'
})

/** Formats a time as `2026-11-27 17:12:56.123 UTC`. Returns an invalid time unchanged. */
export const exactTime = (iso: string): string =>
  Number.isNaN(Date.parse(iso)) ? iso : new Date(iso).toISOString().replace('T', ' ').replace('Z', ' UTC')

/** Formats a time relative to now: `12 s ago`, `in 3 min`, `4 Nov`. */
export function relativeTime(iso: string, now: number): string {
  const at = Date.parse(iso)
  if (Number.isNaN(at)) return iso
  const distance = Math.abs(now - at)
  if (distance < SECOND) return 'now'
  if (distance >= 7 * DAY) {
    const sameYear = new Date(at).getUTCFullYear() === new Date(now).getUTCFullYear()
    return (sameYear ? dayFormat : yearFormat).format(at)
  }
  const amount = distanceInWords(distance)
  return at > now ? `in ${amount}` : `${amount} ago`
}

function distanceInWords(milliseconds: number): string {
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / SECOND)} s`
  if (milliseconds < HOUR) return `${Math.floor(milliseconds / MINUTE)} min`
  if (milliseconds < DAY) return `${Math.floor(milliseconds / HOUR)} h`
  return `${Math.floor(milliseconds / DAY)} d`
}

/** Renders a time relative to now, with the exact time as title. activity.js updates it. */
export const timeTag = (iso: string, now: number): Html =>
  html`<time datetime="${iso}" title="${exactTime(iso)}">${relativeTime(iso, now)}</time>`

/** Formats a duration with at most three significant digits: `41 ms`, `1.24 s`, `3 min 12 s`. */
export function duration(milliseconds: number): string {
  const rounded = Math.max(0, Math.round(milliseconds))
  if (rounded < SECOND) return `${rounded} ms`
  if (rounded < MINUTE) return `${Number((rounded / SECOND).toPrecision(3))} s`
  if (rounded < HOUR) return twoUnits(rounded, MINUTE, 'min', SECOND, 's')
  if (rounded < DAY) return twoUnits(rounded, HOUR, 'h', MINUTE, 'min')
  return twoUnits(rounded, DAY, 'd', HOUR, 'h')
}

function twoUnits(milliseconds: number, large: number, largeName: string, small: number, smallName: string) {
  const rest = Math.floor((milliseconds % large) / small)
  return `${Math.floor(milliseconds / large)} ${largeName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`
}
