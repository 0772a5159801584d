import type { SimulatedProcess } from '../scheduler.ts'

export interface Entry {
  Id: string
  ReceiptHandle?: string
  VisibilityTimeout?: number
  MessageBody?: string
  MessageGroupId?: string
  MessageDeduplicationId?: string
}

export interface Input extends Omit<Entry, 'Id'> {
  QueueUrl: string
  Entries?: Entry[]
  MaxNumberOfMessages?: number
  WaitTimeSeconds?: number
  MessageAttributes?: Record<string, { StringValue?: string }>
}

/** A message of a FIFO queue. */
export interface StoredMessage {
  id: string
  body: string
  group: string
  /** The group of the event in the body, whatever group it was sent in. */
  asset: string | undefined
  deduplicationId: string
  attributes: Record<string, { StringValue?: string }>
  /** Place in the order of the queue. */
  sequence: number
  sentAt: number
  receives: number
  receivedAt: number
  visibleAt: number
  handle: string | undefined
  /**
   * True if a receive or a heartbeat set its visibility timeout last: the lease is lost when the timeout
   * expires.
   */
  isLeased: boolean
  /** The process that received it last. */
  receiver: SimulatedProcess | undefined
  /** The process that received it and has only renewed its lease, if the answer was not disturbed. */
  holder: SimulatedProcess | undefined
}

/** Performs each entry of a batch. */
export function settle(
  entries: readonly Entry[],
  fails: (entry: Entry) => boolean,
  applyEntry: (entry: Entry) => object
): object {
  const Successful: object[] = []
  const Failed: object[] = []
  for (const entry of entries) {
    const { Id } = entry
    if (fails(entry)) {
      Failed.push({ Id, Code: 'InternalError', Message: 'injected', SenderFault: false })
      continue
    }
    try {
      Successful.push({ Id, ...applyEntry(entry) })
    } catch (error) {
      const { name, message } = error as Error
      Failed.push({ Id, Code: name, Message: message, SenderFault: true })
    }
  }
  return { Successful, Failed }
}

export const messagesOf = (messages: readonly StoredMessage[]) => ({
  ...(messages.length > 0 && {
    Messages: messages.map(({ id, handle, body, group, receives, sentAt, attributes }) => ({
      MessageId: id,
      ReceiptHandle: handle,
      Body: body,
      MessageAttributes: attributes,
      Attributes: {
        MessageGroupId: group,
        ApproximateReceiveCount: String(receives),
        SentTimestamp: String(sentAt)
      }
    }))
  })
})

export const sqsError = (name: string, message = `injected: ${name}`) =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 400, attempts: 3 } })
