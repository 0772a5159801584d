import { setTimeout as pause } from 'node:timers/promises'
import { type Message, SQSClient } from '@aws-sdk/client-sqs'
import { Consumer } from 'sqs-consumer'
import { waitOf } from '../waiting-work.ts'

/**
 * `sqs-consumer` with 50 messages in flight and the work of the worker, without a journal.
 *
 * Arguments: number of consumers, messages per receive, `each` or `batch`. `each` deletes each message with a
 * call of its own, which is the default; `batch` deletes what one receive returned with one call.
 */
const [consumers = '5', batchSize = '10', mode = 'each'] = process.argv.slice(2)
const sqs = new SQSClient()
const work = async (message: Message) => {
  const { asset } = JSON.parse(message.Body ?? '')
  const waitMs = waitOf(asset.publicId)
  if (waitMs > 0) await pause(waitMs)
  return message
}
for (let index = 0; index < Number(consumers); index++) {
  const consumer = Consumer.create({
    queueUrl: process.env.QUEUE_URL ?? '',
    sqs,
    batchSize: Number(batchSize),
    suppressFifoWarning: true,
    ...(mode === 'batch'
      ? { handleMessageBatch: (messages) => Promise.all(messages.map(work)) }
      : { handleMessage: work })
  })
  consumer.on('error', (error) => process.stderr.write(`sqs-consumer: ${error.message}\n`))
  consumer.start()
}
process.once('disconnect', () => process.exit())
process.send?.({ kind: 'listening', url: '' })
