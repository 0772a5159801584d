import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'

/**
 * A client of SQS. The AWS SDK's own variables say where it is and who we are.
 *
 * @param requestTimeoutMs how long one try of a call may take; a receive waits for messages meanwhile
 */
export function createSqsClient(requestTimeoutMs: number): SQSClient {
  return new SQSClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1000, requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true }
  })
}

/** Resolves when the queue answers. */
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
 * About how many messages a queue has: those that can be received, those that wait behind another of their group, and
 * hidden ones, which a worker holds or has returned for a later time. SQS may count them a minute late.
 */
export async function messagesIn(sqs: SQSClient, queueUrl: string): Promise<number> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...COUNTS] })
  )
  return COUNTS.reduce((sum, name) => sum + Number(Attributes[name]), 0)
}
