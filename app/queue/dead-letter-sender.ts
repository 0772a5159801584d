import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'

/** Why a message is dead-lettered. */
export interface DeadLetterReason {
  code: string
  message: string
  /** The processor that cannot succeed. Undefined if the message cannot be read. */
  processor?: string
}

/** Maximum length of a reason's code, and of its message, in characters. */
const MAX_TEXT_LENGTH = 500

/** Sends messages that cannot be processed to the dead-letter queue, for an operator to redrive. */
export class DeadLetterSender {
  readonly #sqs: SQSClient
  readonly #queueUrl: string

  constructor({ sqs, queueUrl }: { sqs: SQSClient; queueUrl: string }) {
    this.#sqs = sqs
    this.#queueUrl = queueUrl
  }

  /**
   * Sends a message; resolves when SQS has stored it. Each dead letter has its own message group: they need
   * no order, and receiving one must not hide others.
   *
   * @param id the deduplication id: SQS stores one message per id within five minutes
   */
  async put(id: string, body: string, reason: DeadLetterReason): Promise<void> {
    const attributes = { ...reason, code: printable(reason.code), message: printable(reason.message) }
    await this.#sqs.send(
      new SendMessageCommand({
        QueueUrl: this.#queueUrl,
        MessageBody: body,
        MessageGroupId: id,
        MessageDeduplicationId: id,
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes)
            .filter(([, value]) => value)
            .map(([name, StringValue]) => [name, { DataType: 'String', StringValue }])
        )
      })
    )
  }
}

/**
 * Replaces each character that SQS rejects with a space, and an empty text with `-`: SQS rejects an empty
 * string too.
 */
const printable = (text: string) =>
  text.replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD]/g, ' ').slice(0, MAX_TEXT_LENGTH) || '-'
