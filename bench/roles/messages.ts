import type { EventType } from '../../app/ingest/event.ts'
import { toEvents } from '../../app/ingest/notification.ts'
import { encodeMessage } from '../../app/queue/message-codec.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { sampleNotification } from '../../app/testing/samples.ts'
import { BENCH_ASSET_ID } from './bench-asset.ts'
import type { QueuedMessage } from './instant-stand-ins.ts'

export interface MessageOptions {
  type: EventType
  /** A change with the listener's own key, for which no processor runs. */
  own?: boolean
}

/**
 * Returns messages as `web` stores them, each in its own group. All have the asset id of the stand-in's one
 * answer, because processors refuse an asset with another id.
 */
export function messagesOf(
  { type, own = false }: MessageOptions,
  count: number,
  run: string
): QueuedMessage[] {
  const receivedAt = new Date()
  return Array.from({ length: count }, (_, index) => {
    const notification = sampleNotification(type, {
      publicId: `bench/${run}/asset-${index}`,
      assetId: BENCH_ASSET_ID,
      ...(type === 'upload' && { variant: 'metadata' }),
      ...(own && { apiKey: LOCAL_CLOUDINARY.apiKey })
    })
    const [event] = toEvents(Buffer.from(JSON.stringify(notification)), {
      environment: LOCAL_CLOUDINARY.cloudName,
      isOwnKey: (apiKey) => apiKey === LOCAL_CLOUDINARY.apiKey,
      receivedAt,
      signedAt: Math.floor(receivedAt.getTime() / 1000)
    })
    return { group: `${run}-${index}`, body: encodeMessage(event!) }
  })
}
