import { dayAt, plusDays } from './days.ts'
import type { CheckedOptions } from './expire-options.ts'

/**
 * Returns the search expression for a slot. It finds assets whose day has come or whose warning is due, and leaves
 * out those that were handled. Source: https://cloudinary.com/documentation/search_expressions
 */
export function expirySearch(options: CheckedOptions, slot: Date): string {
  const { field, warnDays, timezone, where, action, tag, folder } = options
  const last = plusDays(dayAt(slot.getTime(), timezone), Math.max(0, ...warnDays))
  const done = {
    tag: [`NOT tags=${quoted(tag)}`],
    restrict: [`NOT tags=${quoted(tag)}`],
    move: [`NOT asset_folder=${quoted(folder ?? '')}`],
    delete: []
  }[action]
  return [`metadata.${field}<="${last}"`, ...done, ...(where === undefined ? [] : [`(${where})`])].join(
    ' AND '
  )
}

/** Within quotes, only these characters are special. */
const quoted = (text: string) => `"${text.replace(/["\\*]/g, '\\$&')}"`
