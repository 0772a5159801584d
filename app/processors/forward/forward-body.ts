import { PermanentError } from '../../errors.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import { valueAt } from '../event-path.ts'

/** Returns the body to send for an event; undefined to send nothing. */
export type MapEvent = (event: AssetEvent) => object | undefined | Promise<object | undefined>

/** Nested values by name. Has no prototype, so that names such as `__proto__` are ordinary ones. */
type Tree = { [name: string]: unknown }

/**
 * Builds a body in the layout that Standard Webhooks recommends: `type`, `timestamp` and `data`, with fields
 * nested as in the notification. Leaves out fields that the notification does not have.
 *
 * @param paths valid for `PATH`
 */
export function mapFields(paths: readonly string[]): MapEvent {
  // a path within another one is already included
  const outermost = paths.filter((path) => !paths.some((other) => path.startsWith(`${other}.`)))
  return (event) => {
    const data = tree()
    for (const path of outermost) {
      const value = valueAt(event, path)
      if (value !== undefined) put(data, path.split('.'), value)
    }
    return { type: event.type, timestamp: event.occurredAt, environment: event.environment, data }
  }
}

/**
 * Encodes a body as JSON.
 *
 * @throws {PermanentError} FORWARD_UNMAPPABLE if it is not an object, or JSON cannot represent it
 */
export function encode(mapped: object): string {
  if (typeof mapped !== 'object' || mapped === null) throw unmappable('not an object')
  try {
    return JSON.stringify(mapped)
  } catch (error) {
    // the other lines show the object
    throw unmappable((error as Error).message.split('\n', 1)[0]!)
  }
}

const tree = (): Tree => Object.create(null)

function put(into: Tree, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    into[name!] = value
    return
  }
  into[name!] ??= tree()
  put(into[name!] as Tree, rest, value)
}

const unmappable = (why: string) =>
  new PermanentError(`cannot send the result of \`map\`: ${why}`, { code: 'FORWARD_UNMAPPABLE' })
