/**
 * Evaluates the queries of `cmsWriteBack`; returns undefined for any other. A path follows names, and lists
 * with `[]`, as GROQ does. Source: https://www.sanity.io/docs/specifications/groq-traversal
 */
export function evaluate(
  query: string,
  params: Readonly<Record<string, unknown>>,
  documents: readonly Readonly<Record<string, unknown>>[]
): unknown {
  const [, counted] = /^count\(\*\[_type in \$(\w+)\]\)$/.exec(query) ?? []
  if (counted) return documents.filter(({ _type }) => listOf(params[counted]).includes(_type)).length
  if (!/^\*\[\(.*\)\]$/.test(query)) return undefined
  const clauses = query
    .slice(3, -2)
    .split(') || (_type')
    .map((clause) => clause.replace(/^(?:_type)? == /, ''))
  const parsed = clauses.map((clause) => /^"([\w.]+)" && \((.+)\)$/.exec(clause) ?? [])
  if (parsed.some(({ length }) => length === 0)) return undefined
  return documents.filter((document) =>
    parsed.some(
      ([, type, conditions]) =>
        document._type === type && conditions!.split(' || ').some((one) => holds(document, one, params))
    )
  )
}

function holds(document: unknown, condition: string, params: Readonly<Record<string, unknown>>): boolean {
  const { path, name } =
    (
      /^count\(\((?<path>\S+)\)\[@ in \$(?<name>\w+)\]\) > 0$/.exec(condition) ??
      /^(?<path>\w\S*) (?:==|in) \$(?<name>\w+)$/.exec(condition) ??
      /^\$(?<name>\w+) in (?<path>\S+)$/.exec(condition)
    )?.groups ?? {}
  if (!path || !name) return false
  const wanted = params[name]
  return valuesAt(document, path.split('.')).some((value) =>
    Array.isArray(wanted) ? wanted.includes(value) : wanted === value
  )
}

function valuesAt(value: unknown, [step, ...rest]: readonly string[]): unknown[] {
  if (step === undefined) return [value]
  const next = (value as Record<string, unknown> | null | undefined)?.[step.replace('[]', '')]
  if (!step.endsWith('[]')) return valuesAt(next, rest)
  return listOf(next).flatMap((item) => valuesAt(item, rest))
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
