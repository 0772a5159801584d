import { PermanentError } from '../../errors.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import { valueAt } from '../event-path.ts'

/** Makes of an event what is sent; undefined where nothing is to be sent. */
export type MapEvent = (event: AssetEvent) => object | undefined | Promise<object | undefined>

/** A tree of what paths lead to. It has no prototype, so that no name means anything but itself. */
type Tree = { [name: string]: unknown }

/**
 * Lays out fields of an event as Standard Webhooks recommends: `type`, `timestamp` and `data`, where each stands as in
 * the notification. Fields that the notification has not are left out.
 *
 * @param paths as `PATH` has them
 */
export function mapFields(paths: readonly string[]): MapEvent {
  // a path below another one is in it already
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
 * Writes what a `map` has given as JSON: the same bytes for the same object.
 *
 * @throws {PermanentError} FORWARD_UNMAPPABLE for what is no object, or cannot be written as JSON
 */
export function encode(mapped: object): string {
  if (typeof mapped !== 'object' || mapped === null) throw unmappable('it is no object')
  try {
    return JSON.stringify(mapped)
  } catch (error) {
    // the other lines draw the object
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
  new PermanentError(`what \`map\` returned cannot be sent: ${why}`, {
    code: 'FORWARD_UNMAPPABLE'
  })
