import type { ActivityEvent } from '../activity-store.ts'

const isFinal = ({ status }: ActivityEvent): boolean => status !== 'processing' && status !== 'retrying'

/**
 * Returns the waiting events of an asset, and the event that each waits for. Events of an asset run in order.
 *
 * @param events newest first
 */
export function queuePositions(events: readonly ActivityEvent[]): ReadonlyMap<string, string> {
  const unfinished = events.filter((event) => !isFinal(event)).toReversed()
  const [first, ...others] = unfinished
  if (!first || others.length === 0) return new Map()
  return new Map([
    [first.id, `holds up ${others.length} newer ${others.length === 1 ? 'event' : 'events'}`],
    ...others.map(
      ({ id }, index) =>
        [id, `waits behind ${index === 0 ? 'an older event' : `${index + 1} older events`}`] as const
    )
  ])
}
