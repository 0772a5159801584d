import type { EventType } from '../../app/ingest/event.ts'
import { toEvents } from '../../app/ingest/notification.ts'
import { encodeMessage } from '../../app/queue/message-codec.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { sampleNotification } from '../../app/testing/samples.ts'
import { BENCH_ASSET_ID } from './stand-ins/bench-asset.ts'
import type { QueuedMessage } from './stand-ins/instructions.ts'
import { heavyTailedWaits, publicIdOf } from './waiting-work.ts'

export interface MessageOptions {
  type: EventType
  /** A change with the listener's own key, for which no processor runs. */
  own?: boolean
  /** Duration of the work of each message, in milliseconds. (Default: 0) */
  waits?: readonly number[]
}

/** Number of different messages; the stand-in repeats them. */
const COUNT = 1000

/**
 * Returns messages as `web` stores them. All have the asset id that the stand-in always returns, because
 * processors refuse an asset with another id.
 */
export function messagesOf({ type, own = false, waits = [] }: MessageOptions): QueuedMessage[] {
  const receivedAt = new Date()
  return Array.from({ length: COUNT }, (_, index) => {
    const notification = sampleNotification(type, {
      publicId: publicIdOf(index, waits[index] ?? 0),
      assetId: BENCH_ASSET_ID,
      ...(type === 'upload' && { variant: 'metadata' }),
      // other contents, so that each event has an id of its own
      now: new Date(receivedAt.getTime() - index * 1000),
      ...(own && { apiKey: LOCAL_CLOUDINARY.apiKey })
    })
    const [event] = toEvents(Buffer.from(JSON.stringify(notification)), {
      environment: LOCAL_CLOUDINARY.cloudName,
      isOwnKey: (apiKey) => apiKey === LOCAL_CLOUDINARY.apiKey,
      receivedAt,
      signedAt: Math.floor(receivedAt.getTime() / 1000)
    })
    return { body: encodeMessage(event!) }
  })
}

/** Returns uploads whose work takes 50 ms, or 1 s for 5 % of them. */
export const heavyTailed = (): QueuedMessage[] =>
  messagesOf({ type: 'upload', waits: heavyTailedWaits(COUNT) })
