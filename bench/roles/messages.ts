import type { EventType } from '../../app/ingest/event.ts'
import { toEvents } from '../../app/ingest/notification.ts'
import { encodeMessage } from '../../app/queue/message-codec.ts'
import { LOCAL_CLOUDINARY } from '../../app/testing/defaults.ts'
import { sampleNotification } from '../../app/testing/samples.ts'
import type { QueuedMessage } from './instant-stand-ins.ts'

export interface MessageOptions {
  type: EventType
  /** A change with the listener's own key, for which no processor runs. */
  own?: boolean
}

/** Returns messages as `web` stores them, each of another asset. */
export function messagesOf(
  { type, own = false }: MessageOptions,
  count: number,
  run: string
): QueuedMessage[] {
  const receivedAt = new Date()
  return Array.from({ length: count }, (_, index) => {
    const notification = sampleNotification(type, {
      publicId: `bench/${run}/asset-${index}`,
      ...(type === 'upload' && { variant: 'metadata' }),
      ...(own && { apiKey: LOCAL_CLOUDINARY.apiKey })
    })
    const [event] = toEvents(Buffer.from(JSON.stringify(notification)), {
      environment: LOCAL_CLOUDINARY.cloudName,
      isOwnKey: (apiKey) => apiKey === LOCAL_CLOUDINARY.apiKey,
      receivedAt,
      signedAt: Math.floor(receivedAt.getTime() / 1000)
    })
    return { group: event!.group, body: encodeMessage(event!) }
  })
}
