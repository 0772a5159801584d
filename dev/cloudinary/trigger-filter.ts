import { LogicEngine } from 'json-logic-engine'

const engine = new LogicEngine()

/** JSONLogic, as a trigger's `filter` has it. */
export type Filter = Record<string, unknown>

/** Whether it is JSONLogic; an operation that does not exist is not. */
export function isFilter(filter: unknown): filter is Filter {
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter)) return false
  try {
    engine.build(filter)
    return true
  } catch {
    return false
  }
}

/** Whether a notification's body matches. One that the filter fails on does not (assumed). */
export function matches(filter: Filter | undefined, body: string): boolean {
  if (filter === undefined) return true
  try {
    return Boolean(engine.truthy(engine.run(filter, JSON.parse(body))))
  } catch {
    return false
  }
}
