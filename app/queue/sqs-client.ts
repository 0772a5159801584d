import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient
} from '@aws-sdk/client-sqs'
import { sendDirectly } from '../send-directly.ts'

/** The operations that are called for every event. */
const DIRECT = new Map<unknown, string>([
  [ReceiveMessageCommand, 'ReceiveMessage'],
  [SendMessageBatchCommand, 'SendMessageBatch'],
  [DeleteMessageBatchCommand, 'DeleteMessageBatch'],
  [ChangeMessageVisibilityBatchCommand, 'ChangeMessageVisibilityBatch']
])

/**
 * Creates a client of SQS. Region, endpoint and credentials come from the AWS SDK's own variables.
 *
 * @param requestTimeoutMs timeout of one attempt of a call; for a receive it includes the wait for messages
 */
export function createSqsClient(requestTimeoutMs: number): SQSClient {
  const client = new SQSClient({
    maxAttempts: 3,
    // on AWS every call is over TLS, which detects a changed body
    md5: false,
    requestHandler: { connectionTimeout: 1000, requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true }
  })
  client.send = sendDirectly({
    client,
    target: 'AmazonSQS',
    operationOf: (command) => DIRECT.get(command.constructor),
    send: client.send.bind(client) as never,
    encode: JSON.stringify
  }) as typeof client.send
  return client
}

/** Probes a queue; resolves when it answers. */
export async function probeQueue(sqs: SQSClient, queueUrl: string, timeoutMs = 2000): Promise<void> {
  await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }), {
    abortSignal: AbortSignal.timeout(timeoutMs)
  })
}

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed'
] as const

/**
 * Returns the approximate number of messages in a queue: visible, waiting behind another one of their group,
 * and hidden because a worker holds them or retries them later. SQS may be a minute behind.
 */
export async function messagesIn(sqs: SQSClient, queueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...COUNTS] })
  )
  return COUNTS.reduce((sum, name) => sum + Number(Attributes[name]), 0)
}
