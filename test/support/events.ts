import type { AssetEvent, EventType } from '../../app/ingest/event.ts'
import { toEvents } from '../../app/ingest/notification.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { sampleSearchEvent } from '../../app/testing/sample-search.ts'
import { type SampleOptions, sampleNotification } from '../../app/testing/samples.ts'

/** Default time of sample events. */
export const HAPPENED_AT = new Date('2026-06-01T12:00:00.789Z')

/**
 * Returns the first event of a sample notification whose body is changed by `change`, or the event of an asset
 * that a schedule has found.
 */
export function sampleEvent(
  type: EventType,
  options: SampleOptions & { variant?: string } = {},
  change: Record<string, unknown> = {}
): AssetEvent {
  if (type === 'scheduled_search') {
    const { variant: _, ...sample } = options
    return sampleSearchEvent({ ...sample, body: change }, options.now ?? HAPPENED_AT)
  }
  const body = { ...sampleNotification(type, { now: HAPPENED_AT, ...options }), ...change }
  const [event] = toEvents(Buffer.from(JSON.stringify(body)), {
    environment: LOCAL_CLOUDINARY.cloudName,
    isOwnKey: (apiKey) => apiKey === LOCAL_CLOUDINARY.apiKey,
    receivedAt: new Date(HAPPENED_AT.getTime() + 2000),
    signedAt: Math.floor(HAPPENED_AT.getTime() / 1000) + 1
  })
  return event!
}
