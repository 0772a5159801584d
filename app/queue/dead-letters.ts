import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'

/** Why a message is put aside. */
export interface Reason {
  code: string
  message: string
  /** The processor that cannot succeed; undefined where the message itself is at fault. */
  processor?: string
}

/** SQS takes ten attributes; a reason's code and its text are cut to this, in characters. */
const LONGEST_TEXT = 500

/** Puts messages aside that cannot be processed, with the reason, for an operator to look at and to redrive. */
export class DeadLetters {
  readonly #sqs: SQSClient
  readonly #queueUrl: string

  constructor({ sqs, queueUrl }: { sqs: SQSClient; queueUrl: string }) {
    this.#sqs = sqs
    this.#queueUrl = queueUrl
  }

  /**
   * Resolves when SQS has stored it. Dead letters need no order, so each has a message group of its own: one that
   * an operator looks at then hides no other.
   *
   * @param id names the letter: the same within five minutes is stored once
   */
  async put(id: string, body: string, reason: Reason): Promise<void> {
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

/** SQS refuses control characters, and a text without a character. */
const printable = (text: string) =>
  text.replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD]/g, ' ').slice(0, LONGEST_TEXT) || '-'
