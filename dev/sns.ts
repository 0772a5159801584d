import type { FauxqsServer } from 'fauxqs'

export const TOPIC_NAME = 'cloudinary-uploads'
export const MESSAGES_QUEUE_NAME = 'cloudinary-uploads-messages'

/** A topic for the processor `notify`, and a subscribed queue to read its messages. */
export const TOPICS = {
  topics: [{ name: TOPIC_NAME }],
  queues: [{ name: MESSAGES_QUEUE_NAME }],
  subscriptions: [{ topic: TOPIC_NAME, queue: MESSAGES_QUEUE_NAME }]
}

/** A message as received by subscribers. */
export interface PublishedMessage {
  id: string
  /** ISO 8601, UTC. */
  publishedAt: string
  subject?: string
  text: string
  attributes: Record<string, string>
}

/** The format of SNS messages in a queue, without raw delivery. */
interface Envelope {
  MessageId: string
  Timestamp: string
  Subject?: string
  Message: string
  MessageAttributes?: Record<string, { Value: string }>
}

/** Returns the messages in the subscribed queue, oldest first. */
export function publishedMessages(server: FauxqsServer, queue = MESSAGES_QUEUE_NAME): PublishedMessage[] {
  const { ready } = server.inspectQueue(queue)!.messages
  return ready.map(({ body }) => {
    const { MessageId, Timestamp, Subject, Message, MessageAttributes = {} }: Envelope = JSON.parse(body)
    const attributes = Object.entries(MessageAttributes).map(([name, { Value }]) => [name, Value])
    return {
      id: MessageId,
      publishedAt: Timestamp,
      ...(Subject !== undefined && { subject: Subject }),
      text: Message,
      attributes: Object.fromEntries(attributes)
    }
  })
}
