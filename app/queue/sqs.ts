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

/** About how many messages nobody has received yet; those that wait behind another of their group included. */
export async function waitingIn(sqs: SQSClient, queueUrl: string): Promise<number> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['ApproximateNumberOfMessages'] })
  )
  return Number(Attributes?.ApproximateNumberOfMessages)
}
