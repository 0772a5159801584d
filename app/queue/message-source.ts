/** A message from the queue. */
export interface ReceivedMessage {
  id: string
  body: string
  /** The message group: one asset. */
  group: string
  /**
   * Number of times the message was received, including this one. An upper bound of how often it was handled:
   * it also counts receives after which the message only waited behind another one of its group.
   */
  receiveCount: number
}

/** A message that stays hidden from other receivers until its visibility timeout ends. */
export interface LeasedMessage {
  message: ReceivedMessage
  receiptHandle: string
}

export interface ReceiveOptions {
  maximumMessages: number
  /** How long to wait for the first message, in seconds. */
  waitTimeSeconds: number
  visibilityTimeoutSeconds: number
}

/** The receiving side of a queue. */
export interface MessageSource {
  receive: (options: ReceiveOptions) => Promise<LeasedMessage[]>
  delete: (receiptHandle: string) => Promise<void>
  /** Hides a message for a number of seconds from now; 0 makes it visible at once. */
  changeVisibility: (receiptHandle: string, seconds: number) => Promise<void>
  /** Resolves when no delete and no visibility change is in flight. */
  idle: () => Promise<void>
}

/** What to do with a message that was handled. `delaySeconds` is from 0 to 43,200. */
export type MessageAction = { kind: 'delete' } | { kind: 'retry'; delaySeconds: number }
