import type { AssetEvent } from '../ingest/event.ts'

/** Fields of one line. What comes from outside may hold line breaks, or codes that a terminal would obey. */
export const lineOf = (...fields: string[]): string =>
  fields.map((field) => field.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')).join('  ')

export const assetOf = ({ asset }: AssetEvent): string => asset?.publicId ?? asset?.assetId ?? '(no asset)'

/** `1 letter`, `2 letters`, `1,000 letters`. */
export const count = (number: number, thing: string): string =>
  `${number.toLocaleString('en-US')} ${thing}${number === 1 ? '' : 's'}`
