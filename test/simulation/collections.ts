import { EVENT_TYPES } from '../../app/ingest/event-types.ts'
import type { Scheduler, SimulatedProcess } from './scheduler.ts'

/** Maximum sizes at rest; 0 for other classes. `clouds`: one entry for each product environment. */
const MAX_SIZES: Readonly<Record<string, number | 'clouds'>> = {
  CloudinaryClients: 'clouds',
  Pollers: 'clouds',
  // one per flaw that is logged once
  Poller: 3,
  // API keys of other systems
  Environments: 1000,
  // event types whose payload did not fit: one for each type
  PayloadCheck: EVENT_TYPES.length,
  RefusedMessages: 10_000
}

/**
 * Registers each `Map` and `Set` that is a field of an object and that a process creates while it starts, without a
 * hook in the code under test. Later ones belong to a message or a command, and end with it.
 *
 * @returns what restores the real classes
 */
export function trackCollections(scheduler: Scheduler): () => void {
  const { Map: RealMap, Set: RealSet } = globalThis
  const tracked = <Class extends MapConstructor | SetConstructor>(real: Class): Class =>
    new Proxy(real, {
      construct(target, args, newTarget) {
        const collection = Reflect.construct(target, args, newTarget)
        const process = scheduler.current
        const owner = process?.isStarting ? ownerOf(new Error().stack) : undefined
        if (owner) process!.collections.push({ owner, collection })
        return collection
      }
    })
  globalThis.Map = tracked(RealMap)
  globalThis.Set = tracked(RealSet)
  return () => Object.assign(globalThis, { Map: RealMap, Set: RealSet })
}

/** Returns the class whose field is initialized; undefined for a local variable. */
function ownerOf(stack = ''): string | undefined {
  const [, , caller = '', next = ''] = stack.split('\n')
  if (!caller.includes('<instance_members_initializer>')) return undefined
  return /new (\w+)/.exec(next)?.[1]
}

/** Returns the collections that are larger than they may be while there is nothing to do. */
export function overfull({ collections }: SimulatedProcess, clouds: number): string[] {
  return collections.flatMap(({ owner, collection: { size } }) => {
    const stated = MAX_SIZES[owner] ?? 0
    return size > (stated === 'clouds' ? clouds : stated) ? `${owner} holds ${size}` : []
  })
}
