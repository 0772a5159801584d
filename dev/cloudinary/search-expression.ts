import { ApiError } from './api-error.ts'

/** Returns the value of a field of the asset; undefined if it has none. */
export type Lookup = (field: string) => unknown
export type Predicate = (lookup: Lookup) => boolean

type Operator = ':' | '=' | '>' | '>=' | '<' | '<='

const TERM =
  /([A-Za-z_][\w.]*)\s*(>=|<=|:|=|>|<)\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"()[\]{}^~?:=&<>!\\]|\\.)+))/y
const KEYWORD = /(AND|OR|NOT)(?=[\s(-])|([()-])/y
const UNIT_MS = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 }

/**
 * Compiles a search expression: `field:value`, `=`, `>`, `>=`, `<`, `<=`, joined by AND (or a space), OR, NOT
 * (or `-`) and brackets. A value with reserved characters, such as the colons of a time, must be quoted or
 * escaped. `prefix*` matches values with the prefix; `1d` means a day ago. An unknown field matches nothing.
 * Does not support ranges and bare words.
 *
 * Source: https://cloudinary.com/documentation/search_expressions
 * @throws {ApiError} 400 for an invalid expression
 */
export function compileExpression(text: string, now: number): Predicate {
  let position = 0

  const skipSpace = (): void => {
    while (/\s/.test(text.charAt(position))) position += 1
  }
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position
    const found = pattern.exec(text)
    if (found) position = pattern.lastIndex
    return found
  }
  const take = (...words: string[]): boolean => {
    skipSpace()
    const before = position
    const [, word, sign] = match(KEYWORD) ?? []
    if (words.includes(word ?? sign ?? '')) return true
    position = before
    return false
  }
  const fail = (): never => {
    throw new ApiError(
      400,
      `Invalid value for parameter expression: unexpected input at position ${position}`
    )
  }

  const anyOf = (): Predicate => {
    let left = allOf()
    while (take('OR')) {
      const [before, right] = [left, allOf()]
      left = (lookup) => before(lookup) || right(lookup)
    }
    return left
  }
  const allOf = (): Predicate => {
    let left = unary()
    while (take('AND') || !atEndOfGroup()) {
      const [before, right] = [left, unary()]
      left = (lookup) => before(lookup) && right(lookup)
    }
    return left
  }
  const atEndOfGroup = (): boolean => {
    skipSpace()
    return position >= text.length || /^(\)|OR[\s(-])/.test(text.slice(position, position + 3))
  }
  const unary = (): Predicate => {
    if (take('NOT', '-')) {
      const inner = unary()
      return (lookup) => !inner(lookup)
    }
    if (take('(')) {
      const inner = anyOf()
      return take(')') ? inner : fail()
    }
    const [, field, operator, quoted, bare] = match(TERM) ?? []
    if (field === undefined) return fail()
    const value = (quoted ?? bare)!.replace(/\\(.)/g, '$1')
    return comparison(field, operator as Operator, value, { isPrefix: bare?.endsWith('*') ?? false, now })
  }

  const predicate = anyOf()
  return position < text.length ? fail() : predicate
}

function comparison(
  field: string,
  operator: Operator,
  value: string,
  { isPrefix, now }: { isPrefix: boolean; now: number }
): Predicate {
  const holds = (actual: unknown): boolean => {
    if (Array.isArray(actual)) return actual.some(holds)
    if (actual === undefined) return false
    if (actual instanceof Date) return compare(actual.getTime(), operator, timeOf(value, now))
    if (typeof actual === 'number') return compare(actual, operator, Number(value))
    const text = String(actual)
    if (operator !== ':' && operator !== '=') return compare(text, operator, value)
    if (isPrefix) return text.toLowerCase().startsWith(value.slice(0, -1).toLowerCase())
    if (operator === '=') return text === value
    return [text, ...text.split(/[^\p{L}\p{N}]+/u)].some((part) => part.toLowerCase() === value.toLowerCase())
  }
  return (lookup) => holds(lookup(field))
}

function compare<T extends string | number>(actual: T, operator: Operator, wanted: T): boolean {
  switch (operator) {
    case '>':
      return actual > wanted
    case '>=':
      return actual >= wanted
    case '<':
      return actual < wanted
    case '<=':
      return actual <= wanted
    case ':':
    case '=':
      return actual === wanted
  }
}

function timeOf(value: string, now: number): number {
  const [, amount, unit] = /^(\d+)([smhdw])$/.exec(value) ?? []
  if (amount !== undefined) return now - Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]
  const time = Date.parse(value)
  if (Number.isNaN(time)) throw new ApiError(400, `Invalid value ${value} for a time`)
  return time
}
