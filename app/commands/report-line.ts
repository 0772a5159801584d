import type { AssetEvent } from '../ingest/event.ts'

/** The last line of a dry run. */
export const NEXT_AFTER_DRY_RUN = 'Next: run it without --dry-run.'

/** Joins fields to one line. Line breaks and terminal control codes become spaces. */
export const lineOf = (...fields: string[]): string =>
  fields.map((field) => field.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')).join('  ')

export const assetOf = ({ asset }: AssetEvent): string => asset?.publicId ?? asset?.assetId ?? '(no asset)'

export const numberOf = (number: number): string => number.toLocaleString('en-US')

/** `1 event`, `2 events`, `1,000 events`. */
export const count = (number: number, thing: string): string =>
  `${numberOf(number)} ${thing}${number === 1 ? '' : 's'}`

export const isoOf = (time: number): string => new Date(time).toISOString()
