import { ApiError } from './api-error.ts'

/** Parameters of a call as received: strings, and lists for parameters named `x[]`, under `x`. */
export type Values = Record<string, string | string[]>

/** Returns the text of a parameter; undefined if it is absent or empty. */
export function textOf(values: Values, name: string): string | undefined {
  const value = values[name]
  return (Array.isArray(value) ? value.join(',') : value) || undefined
}

/** Cloudinary's error for a missing parameter. */
export function missing(name: string): ApiError {
  return new ApiError(400, `Missing required parameter - ${name}`)
}

/** Returns the text of a parameter. @throws {ApiError} 400 if it is missing */
export function requiredText(values: Values, name: string): string {
  const value = textOf(values, name)
  if (value === undefined) throw missing(name)
  return value
}

/** Returns a list given as `name[]=a&name[]=b` or as a single value. */
export function listOf(values: Values, name: string): string[] {
  const value = values[name] ?? []
  return Array.isArray(value) ? value : [value]
}

/** Returns a list given as `a,b,c`; undefined if the parameter is absent or empty. */
export function commaListOf(values: Values, name: string): string[] | undefined {
  const items = textOf(values, name)
    ?.split(',')
    .map((item) => item.trim())
  return items && [...new Set(items.filter((item) => item !== ''))]
}

/** Returns a flag: true for `1` and `true`; undefined if it is absent. */
export function flagOf(values: Values, name: string): boolean | undefined {
  const value = textOf(values, name)
  return value === undefined ? undefined : value === '1' || value === 'true'
}

/**
 * Returns key-value pairs given as `alt=A cat|caption=1\=1`, with `=` and `|` in a value escaped by a
 * backslash; undefined if the parameter is absent or empty.
 */
export function pairsOf(values: Values, name: string): Record<string, string> | undefined {
  const text = textOf(values, name)
  if (text === undefined) return undefined
  return Object.fromEntries(
    text.split(/(?<!\\)\|/).map((pair) => {
      const equals = pair.search(/(?<!\\)=/)
      if (equals < 1) throw new ApiError(400, `Invalid value ${pair} for parameter ${name}`)
      return [pair.slice(0, equals), pair.slice(equals + 1).replace(/\\([=|])/g, '$1')]
    })
  )
}
