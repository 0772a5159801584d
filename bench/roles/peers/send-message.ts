import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { atRate } from '../rate.ts'
import type { Schedule } from './schedule.ts'

/**
 * One bare `SendMessage` round trip of the SDK for each message of a schedule: the least that an ack can
 * take.
 */
const sqs = new SQSClient()
let sent = 0
process.on('message', async ({ body, ...rate }: Schedule) => {
  const latencies = await atRate(rate, async () => {
    const id = `bench-${sent++}`
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: process.env.QUEUE_URL,
        MessageBody: body,
        MessageGroupId: id,
        MessageDeduplicationId: id
      })
    )
    return true
  })
  process.send?.(latencies)
})
process.once('disconnect', () => process.exit())
process.send?.({ kind: 'listening', url: '' })
