import { LogicEngine } from 'json-logic-engine'

const engine = new LogicEngine()

/** `filter` of a trigger, in JSONLogic. */
export type Filter = Record<string, unknown>

/** Returns whether a filter is valid JSONLogic with known operations. */
export function isFilter(filter: unknown): filter is Filter {
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) return false
  try {
    engine.build(filter)
    return true
  } catch {
    return false
  }
}

/** Returns whether a body matches. It is an assumption that a body does not match if the filter fails. */
export function matches(filter: Filter | undefined, body: string): boolean {
  if (filter === undefined) return true
  try {
    return Boolean(engine.truthy(engine.run(filter, JSON.parse(body))))
  } catch {
    return false
  }
}
