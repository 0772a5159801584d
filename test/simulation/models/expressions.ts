/** An item of a table, without undefined values. */
export type Item = Readonly<Record<string, unknown>>

export interface Placeholders {
  names: Readonly<Record<string, string>>
  values: Readonly<Record<string, unknown>>
}

type Evaluate = (item: Item | undefined, placeholders: Placeholders) => unknown
type Apply = (item: Record<string, unknown>, before: Item | undefined, placeholders: Placeholders) => void

/**
 * Parses condition and update expressions of DynamoDB: comparisons, BETWEEN, IN, AND, OR, NOT and the functions
 * on attributes; SET with `if_not_exists`, and REMOVE. Rejects anything else.
 * Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
 */
class Parser {
  readonly #tokens: string[]
  #next = 0

  constructor(text: string) {
    this.#tokens = text.match(/[#:]?\w+|<=|>=|<>|[=<>(),.]/g) ?? []
  }

  get isAtEnd(): boolean {
    return this.#next >= this.#tokens.length
  }

  peek(): string | undefined {
    return this.#tokens[this.#next]
  }

  take(expected?: string): string {
    const token = this.#tokens[this.#next++]
    if (token === undefined || (expected !== undefined && token.toUpperCase() !== expected)) {
      throw validationError(`expected ${expected ?? 'more'}, found ${token}`)
    }
    return token
  }

  skips(word: string): boolean {
    if (this.peek()?.toUpperCase() !== word) return false
    this.#next++
    return true
  }

  condition(): Evaluate {
    const operands = [this.#conjunction()]
    while (this.skips('OR')) operands.push(this.#conjunction())
    return (item, given) => operands.some((operand) => operand(item, given))
  }

  #conjunction(): Evaluate {
    const operands = [this.#term()]
    while (this.skips('AND')) operands.push(this.#term())
    return (item, given) => operands.every((operand) => operand(item, given))
  }

  #term(): Evaluate {
    if (this.skips('NOT')) {
      const negated = this.#term()
      return (item, given) => !negated(item, given)
    }
    if (this.skips('(')) {
      const inner = this.condition()
      this.take(')')
      return inner
    }
    const word = this.peek()
    if (word === 'attribute_exists' || word === 'attribute_not_exists') {
      this.take()
      this.take('(')
      const path = this.operand()
      this.take(')')
      return (item, given) => (path(item, given) !== undefined) === (word === 'attribute_exists')
    }
    return this.#comparison()
  }

  #comparison(): Evaluate {
    const left = this.operand()
    const operator = this.take().toUpperCase()
    if (operator === 'BETWEEN') {
      const from = this.operand()
      this.take('AND')
      const until = this.operand()
      return (item, given) => {
        const value = left(item, given)
        return compare(value, from(item, given), '>=') && compare(value, until(item, given), '<=')
      }
    }
    if (operator === 'IN') {
      this.take('(')
      const list = [this.operand()]
      while (this.skips(',')) list.push(this.operand())
      this.take(')')
      return (item, given) => list.some((each) => compare(left(item, given), each(item, given), '='))
    }
    const right = this.operand()
    return (item, given) => compare(left(item, given), right(item, given), operator)
  }

  /** A path or a value. */
  operand(): Evaluate {
    const first = this.take()
    if (first.startsWith(':')) return (_, { values }) => placeholderOf(values, first)
    if (!/^#?\w+$/.test(first)) throw validationError(`unexpected ${first}`)
    const path = [first]
    while (this.skips('.')) path.push(this.take())
    return (item, { names }) =>
      path.reduce<unknown>((value, name) => {
        const key = nameOf(names, name)
        return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Item)[key]
          : undefined
      }, item)
  }

  /** The name of an attribute at the top. */
  attribute(): (placeholders: Placeholders) => string {
    const name = this.take()
    return ({ names }) => nameOf(names, name)
  }
}

function parseUpdate(text: string): Apply {
  const parser = new Parser(text)
  const changes: Apply[] = []
  while (!parser.isAtEnd) {
    const clause = parser.take().toUpperCase()
    if (clause !== 'SET' && clause !== 'REMOVE') throw validationError(`not supported here: ${clause}`)
    do {
      const attribute = parser.attribute()
      if (clause === 'REMOVE') {
        changes.push((item, _, given) => delete item[attribute(given)])
        continue
      }
      parser.take('=')
      const isDefault = parser.skips('IF_NOT_EXISTS')
      if (isDefault) parser.take('(')
      const first = parser.operand()
      let second: Evaluate | undefined
      if (isDefault) {
        parser.take(',')
        second = parser.operand()
        parser.take(')')
      }
      changes.push((item, before, given) => {
        item[attribute(given)] = first(before, given) ?? second?.(before, given)
      })
    } while (parser.skips(','))
  }
  return (item, before, given) => {
    for (const change of changes) change(item, before, given)
  }
}

const conditions = new Map<string, Evaluate>()
const updates = new Map<string, Apply>()

/** Returns whether an item meets a condition; undefined for an item that does not exist. */
export function meets(condition: string, item: Item | undefined, placeholders: Placeholders): boolean {
  let evaluate = conditions.get(condition)
  if (!evaluate) {
    const parser = new Parser(condition)
    evaluate = parser.condition()
    if (!parser.isAtEnd) throw validationError(`unexpected ${parser.peek()}`)
    conditions.set(condition, evaluate)
  }
  return Boolean(evaluate(item, placeholders))
}

/** Returns an item after an update. */
export function updated(
  update: string,
  item: Item | undefined,
  placeholders: Placeholders
): Record<string, unknown> {
  let apply = updates.get(update)
  if (!apply) {
    apply = parseUpdate(update)
    updates.set(update, apply)
  }
  const changed = { ...item }
  apply(changed, item, placeholders)
  return changed
}

function compare(left: unknown, right: unknown, operator: string): boolean {
  if (left === undefined || right === undefined || typeof left !== typeof right) {
    return operator === '<>' && left !== right
  }
  const [a, b] = [left as string, right as string]
  switch (operator) {
    case '=':
      return a === b
    case '<>':
      return a !== b
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
  }
  throw validationError(`unknown operator ${operator}`)
}

function nameOf(names: Placeholders['names'], name: string): string {
  if (!name.startsWith('#')) return name
  const written = names[name]
  if (written === undefined) throw validationError(`an expression attribute name is not defined: ${name}`)
  return written
}

function placeholderOf(values: Placeholders['values'], name: string): unknown {
  if (!Object.hasOwn(values, name))
    throw validationError(`an expression attribute value is not defined: ${name}`)
  return values[name]
}

export const validationError = (message: string) =>
  Object.assign(new Error(message), { name: 'ValidationException', $metadata: { httpStatusCode: 400 } })
