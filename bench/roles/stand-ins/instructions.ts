/** What the parent of the instant stand-ins tells them, and what they report. */

export interface QueuedMessage {
  body: string
}

export type Instruction =
  /**
   * Fills a queue: repeats messages without end, each time with other ids and in a group of its own. An empty
   * list stops it.
   */
  | { kind: 'generate'; queue: string; messages: QueuedMessage[] }
  /** Sets the duration of calls, in milliseconds. Receives also wait for messages. */
  | { kind: 'delay'; service: Service; milliseconds: number }
  /** Asks for the counts so far. */
  | { kind: 'count'; queue: string }

export type Service = 'sqs' | 'cloudinary'

export interface Counts {
  received: number
  deleted: number
  /** Calls to SQS for this queue. */
  sqsCalls: number
  /** Calls to DynamoDB by all processes. */
  journalCalls: number
}

export type Report = { kind: 'listening'; url: string } | ({ kind: 'counts' } & Counts)
