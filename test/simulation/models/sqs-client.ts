import type { SQSClient } from '@aws-sdk/client-sqs'
import type { Network } from '../network.ts'
import type { Scheduler } from '../scheduler.ts'
import { type Entry, type Input, sqsError } from './sqs-messages.ts'
import { MAX_BATCH, type SqsQueue } from './sqs-queue.ts'

/** Returns a client of the process that calls it. `queues` by URL. */
export function sqsClient(
  network: Network,
  scheduler: Scheduler,
  queues: Readonly<Record<string, SqsQueue>>
): SQSClient {
  const send = (
    command: { constructor: { name: string }; input: Input },
    options?: { abortSignal?: AbortSignal }
  ) => {
    const operation = command.constructor.name.replace('Command', '')
    const { input } = command
    const process = scheduler.current
    const isHeartbeat = scheduler.label === 'interval'
    return network.call<object>({
      service: 'sqs',
      operation,
      isBatch: operation.endsWith('Batch'),
      signal: options?.abortSignal,
      fail: (why) =>
        sqsError({ refused: 'InternalError', throttled: 'RequestThrottled', lost: 'TimeoutError' }[why]),
      perform(answer, roll, fault) {
        const queue = queues[input.QueueUrl]
        if (!queue) return answer({ error: sqsError('QueueDoesNotExist') })
        const fails = ({ Id }: Entry) => fault === 'partial' && roll(`entry ${Id}`) < 0.5
        try {
          if (operation === 'ReceiveMessage')
            return queue.receive(input, roll, answer, process, fault !== undefined)
          answer({ value: perform(queue, operation, input, fails, isHeartbeat) })
        } catch (error) {
          answer({ error })
        }
      }
    })
  }
  return { send, destroy: () => {} } as unknown as SQSClient
}

function perform(
  queue: SqsQueue,
  operation: string,
  input: Input,
  fails: (entry: Entry) => boolean,
  isHeartbeat: boolean
): object {
  const { Entries = [] } = input
  if (Entries.length > MAX_BATCH) throw sqsError('TooManyEntriesInBatchRequest')
  switch (operation) {
    case 'SendMessage':
      return { MessageId: queue.send(input).id }
    case 'SendMessageBatch':
      return queue.sendBatch(Entries, fails)
    case 'DeleteMessageBatch':
      return queue.deleteBatch(Entries, fails)
    case 'ChangeMessageVisibilityBatch':
      return queue.changeVisibilityBatch(Entries, fails, isHeartbeat)
    case 'GetQueueAttributes':
      return queue.attributes()
    default:
      throw new Error(`the model of SQS has no ${operation}`)
  }
}
