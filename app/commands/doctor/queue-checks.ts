import { GetQueueAttributesCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { commandLine } from '../../own-command.ts'
import type { Finding } from '../../processor.ts'
import { explain } from '../explain-error.ts'
import { count, numberOf } from '../report-line.ts'
import { type Check, fault, ok, warn } from './check.ts'

type Attributes = Partial<Record<string, string>>

const FOURTEEN_DAYS_SECONDS = 14 * 86_400

/**
 * Minimum of the maximum receives: each return to the queue counts as a receive, and an outage causes many.
 */
const MINIMUM_RECEIVES = 100

export interface QueueOptions {
  sqs: SQSClient
  queueUrl: string
  /** Undefined if the variable is missing or invalid. */
  deadLetterQueueUrl: string | undefined
}

/**
 * Checks that the queue exists, is FIFO, keeps messages for 14 days, and dead-letters no message that only
 * waited.
 */
export const queue = ({ sqs, queueUrl, deadLetterQueueUrl }: QueueOptions): Check => ({
  subject: 'queue',
  async run(signal) {
    const [result, other] = await Promise.all([
      read(sqs, queueUrl, signal),
      deadLetterQueueUrl === undefined ? undefined : read(sqs, deadLetterQueueUrl, signal)
    ])
    if ('error' in result) return [refused(result.error, 'QUEUE_URL')]
    const { attributes } = result
    // the check of the dead-letter queue reports whether the queue can be read
    const deadLetterArn = other && 'attributes' in other ? other.attributes.QueueArn : undefined
    const found = [
      ...common(attributes, 'messages are lost in a longer outage'),
      ...redrivePolicy(attributes, deadLetterArn)
    ]
    return found.length > 0 ? found : [ok(summary(attributes, 'event'))]
  }
})

export interface DeadLetterQueueOptions extends Pick<QueueOptions, 'sqs' | 'queueUrl'> {
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** Checks that the dead-letter queue exists, is FIFO, keeps messages for 14 days, and is empty. */
export const deadLetterQueue = ({ sqs, queueUrl, clock }: DeadLetterQueueOptions): Check => ({
  subject: 'dead letters',
  async run(signal) {
    const result = await read(sqs, queueUrl, signal)
    if ('error' in result) return [refused(result.error, 'DEAD_LETTER_QUEUE_URL')]
    const { attributes } = result
    const found = common(attributes, 'dead letters are lost after that')
    const number = waiting(attributes) + inFlight(attributes)
    if (number > 0) {
      const oldest = await oldestOf(sqs, queueUrl, signal)
      const age = oldest === undefined ? '' : `, the oldest seen is ${ageOf(clock() - oldest)} old`
      found.push(
        warn(
          `about ${count(number, 'dead letter')}${age}; list them with: ${commandLine('redrive --dry-run')}`
        )
      )
    }
    return found.length > 0 ? found : [ok(summary(attributes, 'dead letter'))]
  }
})

type ReadResult = { attributes: Attributes } | { error: unknown }

async function read(sqs: SQSClient, queueUrl: string, abortSignal: AbortSignal): Promise<ReadResult> {
  const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] })
  try {
    return { attributes: (await sqs.send(command, { abortSignal })).Attributes ?? {} }
  } catch (error) {
    return { error }
  }
}

/**
 * Returns when the oldest of ten dead letters was sent, in milliseconds since the epoch. The dead letters
 * stay visible, and a dead-letter queue does not count receives. Undefined if none can be received.
 */
async function oldestOf(sqs: SQSClient, queueUrl: string, signal: AbortSignal): Promise<number | undefined> {
  const command = new ReceiveMessageCommand({
    QueueUrl: queueUrl,
    MaxNumberOfMessages: 10,
    VisibilityTimeout: 0,
    WaitTimeSeconds: 0,
    MessageSystemAttributeNames: ['SentTimestamp']
  })
  const { Messages = [] } = await sqs.send(command, { abortSignal: signal }).catch(() => ({ Messages: [] }))
  const times = Messages.map(({ Attributes }) => Number(Attributes?.SentTimestamp))
  return times.length > 0 ? Math.min(...times) : undefined
}

function ageOf(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000)
  if (minutes < 120) return count(minutes, 'minute')
  return minutes < 48 * 60 ? count(Math.floor(minutes / 60), 'hour') : days(minutes * 60)
}

const refused = (error: unknown, variable: string): Finding =>
  fault(
    explain(error, {
      missing: `correct ${variable} or AWS_REGION, or deploy the queue`,
      permission: 'sqs:GetQueueAttributes'
    })
  )

function common({ FifoQueue, MessageRetentionPeriod }: Attributes, consequence: string): Finding[] {
  const found: Finding[] = []
  if (FifoQueue !== 'true') {
    found.push(fault('not a FIFO queue, so the order of events is lost; use a FIFO queue'))
  }
  const seconds = Number(MessageRetentionPeriod)
  if (seconds < FOURTEEN_DAYS_SECONDS) {
    found.push(
      warn(
        `keeps messages for ${days(seconds)}: ${consequence}; set MessageRetentionPeriod to 1209600 (14 days)`
      )
    )
  }
  return found
}

function redrivePolicy({ RedrivePolicy }: Attributes, deadLetterArn: string | undefined): Finding[] {
  if (!RedrivePolicy) {
    return [
      fault(
        'no RedrivePolicy: a message that crashes workers is redelivered for 14 days; add one with the ' +
          'dead-letter queue and a maxReceiveCount of 1000'
      )
    ]
  }
  const { maxReceiveCount, deadLetterTargetArn } = JSON.parse(RedrivePolicy) as {
    maxReceiveCount: number | string
    deadLetterTargetArn: string
  }
  const found: Finding[] = []
  if (Number(maxReceiveCount) < MINIMUM_RECEIVES) {
    found.push(
      fault(
        `maxReceiveCount is ${maxReceiveCount}: each return to the queue counts, so events that only ` +
          'waited would be dead-lettered; set it to 1000'
      )
    )
  }
  if (deadLetterArn !== undefined && deadLetterArn !== deadLetterTargetArn) {
    found.push(
      warn(
        `its RedrivePolicy names ${deadLetterTargetArn}, but DEAD_LETTER_QUEUE_URL is ${deadLetterArn}, ` +
          'so redrive does not see what SQS dead-letters; set both to the same queue'
      )
    )
  }
  return found
}

const waiting = (attributes: Attributes) => Number(attributes.ApproximateNumberOfMessages)
const inFlight = (attributes: Attributes) => Number(attributes.ApproximateNumberOfMessagesNotVisible)

const summary = (attributes: Attributes, thing: string): string =>
  `FIFO, kept for ${days(Number(attributes.MessageRetentionPeriod))}; about ` +
  `${count(waiting(attributes), thing)} waiting, ${numberOf(inFlight(attributes))} in flight`

const days = (seconds: number): string => count(Math.round((seconds / 86_400) * 10) / 10, 'day')
