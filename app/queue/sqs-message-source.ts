import { randomUUID } from 'node:crypto'
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient
} from '@aws-sdk/client-sqs'
import { Batcher } from './batcher.ts'
import type { LeasedMessage, MessageSource, ReceiveOptions } from './message-source.ts'
import { sendBatch } from './send-batch.ts'

/** Maximum number of calls in flight: for deletes, and again for changes of visibility. */
const MAX_CALLS = 4

/** Time added to the timeout of a receive, in milliseconds. A silent queue must not block a shutdown. */
const RECEIVE_MARGIN_MS = 3000

/** Receives messages from an SQS queue, and deletes or hides them in batches. */
export class SqsMessageSource implements MessageSource {
  readonly #sqs: SQSClient
  readonly #queueUrl: string
  readonly #delete: Batcher<{ ReceiptHandle: string }, void>
  readonly #changeVisibility: Batcher<{ ReceiptHandle: string; VisibilityTimeout: number }, void>

  constructor({ sqs, queueUrl: QueueUrl }: { sqs: SQSClient; queueUrl: string }) {
    this.#sqs = sqs
    this.#queueUrl = QueueUrl
    this.#delete = new Batcher({
      maximumCalls: MAX_CALLS,
      send: (items) =>
        sendBatch(items, (Entries) => sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })))
    })
    this.#changeVisibility = new Batcher({
      maximumCalls: MAX_CALLS,
      send: (items) =>
        sendBatch(items, (Entries) =>
          sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }))
        )
    })
  }

  async receive(options: ReceiveOptions): Promise<LeasedMessage[]> {
    const { Messages = [] } = await this.#sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#queueUrl,
        MaxNumberOfMessages: options.maximumMessages,
        WaitTimeSeconds: options.waitTimeSeconds,
        VisibilityTimeout: options.visibilityTimeoutSeconds,
        MessageSystemAttributeNames: ['MessageGroupId', 'ApproximateReceiveCount'],
        // a retry then returns the messages of a lost response, which would stay hidden
        ReceiveRequestAttemptId: randomUUID()
      }),
      { abortSignal: AbortSignal.timeout(options.waitTimeSeconds * 1000 + RECEIVE_MARGIN_MS) }
    )
    return Messages.map(leasedMessage)
  }

  delete(receiptHandle: string): Promise<void> {
    return this.#delete.add({ ReceiptHandle: receiptHandle })
  }

  changeVisibility(receiptHandle: string, seconds: number): Promise<void> {
    return this.#changeVisibility.add({ ReceiptHandle: receiptHandle, VisibilityTimeout: seconds })
  }

  async idle(): Promise<void> {
    await Promise.all([this.#delete.idle(), this.#changeVisibility.idle()])
  }
}

const leasedMessage = ({ MessageId = '', ReceiptHandle = '', Body = '', Attributes }: Message) => ({
  message: {
    id: MessageId,
    body: Body,
    group: Attributes?.MessageGroupId ?? '',
    receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 1)
  },
  receiptHandle: ReceiptHandle
})
