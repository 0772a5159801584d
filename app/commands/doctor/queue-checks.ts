import { GetQueueAttributesCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { Finding } from '../../processor.ts'
import { explain } from '../explain-error.ts'
import { count } from '../report-line.ts'
import { type Check, fault, ok, warn } from './doctor.ts'

type Attributes = Partial<Record<string, string>>

const FOURTEEN_DAYS_SECONDS = 14 * 86_400

/** Every time a message is handed back counts as a receive, and waiting for Cloudinary to come back takes many. */
const LEAST_RECEIVES = 100

export interface QueueOptions {
  sqs: SQSClient
  queueUrl: string
  /** Undefined where it is not configured as it should be. */
  deadLetterQueueUrl: string | undefined
}

/** The queue is there, FIFO, keeps events as long as it can, and puts aside none that only waited. */
export const queue = ({ sqs, queueUrl, deadLetterQueueUrl }: QueueOptions): Check => ({
  subject: 'queue',
  async run(signal) {
    const [answer, other] = await Promise.all([
      read(sqs, queueUrl, signal),
      deadLetterQueueUrl === undefined ? undefined : read(sqs, deadLetterQueueUrl, signal)
    ])
    if ('error' in answer) return [refused(answer.error, 'QUEUE_URL')]
    const { attributes } = answer
    // whether the other can be read is for its own check to say
    const deadLetterArn = other && 'attributes' in other ? other.attributes.QueueArn : undefined
    const found = [
      ...common(attributes, 'an outage may be no longer'),
      ...redrivePolicy(attributes, deadLetterArn)
    ]
    return found.length > 0 ? found : [ok(summary(attributes, 'event'))]
  }
})

export interface DeadLetterQueueOptions extends Pick<QueueOptions, 'sqs' | 'queueUrl'> {
  /** Milliseconds since the epoch. */
  clock: () => number
}

/** The dead-letter queue is there, FIFO, keeps letters as long as it can, and has none. */
export const deadLetterQueue = ({ sqs, queueUrl, clock }: DeadLetterQueueOptions): Check => ({
  subject: 'dead letters',
  async run(signal) {
    const answer = await read(sqs, queueUrl, signal)
    if ('error' in answer) return [refused(answer.error, 'DEAD_LETTER_QUEUE_URL')]
    const { attributes } = answer
    const found = common(attributes, 'letters that nobody redrives are lost sooner')
    const letters = waiting(attributes) + inFlight(attributes)
    if (letters > 0) {
      const oldest = await oldestOf(sqs, queueUrl, signal)
      const age = oldest === undefined ? '' : `, the oldest seen is ${ageOf(clock() - oldest)} old`
      found.push(
        warn(
          `about ${count(letters, 'letter')}${age}; node app/main.ts redrive --dry-run prints each with its reason`
        )
      )
    }
    return found.length > 0 ? found : [ok(summary(attributes, 'letter'))]
  }
})

type Answer = { attributes: Attributes } | { error: unknown }

async function read(sqs: SQSClient, queueUrl: string, abortSignal: AbortSignal): Promise<Answer> {
  const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] })
  try {
    return { attributes: (await sqs.send(command, { abortSignal })).Attributes ?? {} }
  } catch (error) {
    return { error }
  }
}

/**
 * When the oldest of ten dead letters was stored, in milliseconds since the epoch. They stay visible, and a dead-letter queue
 * does not count receives. Undefined where all are in flight or may not be received, which is for `redrive` to say.
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
    found.push(
      fault('it is not a FIFO queue, so that nothing is in order and the rest does not work; use one that is')
    )
  }
  const seconds = Number(MessageRetentionPeriod)
  if (seconds < FOURTEEN_DAYS_SECONDS) {
    found.push(
      warn(
        `keeps messages for ${days(seconds)}, so that ${consequence}; set MessageRetentionPeriod to 1209600 (14 days)`
      )
    )
  }
  return found
}

function redrivePolicy({ RedrivePolicy }: Attributes, deadLetterArn: string | undefined): Finding[] {
  if (!RedrivePolicy) {
    return [
      fault(
        'it has no RedrivePolicy, so that a message that no worker survives comes again for 14 days; set one to the dead-letter queue, with a maxReceiveCount of 1000'
      )
    ]
  }
  const { maxReceiveCount, deadLetterTargetArn } = JSON.parse(RedrivePolicy) as {
    maxReceiveCount: number | string
    deadLetterTargetArn: string
  }
  const found: Finding[] = []
  if (Number(maxReceiveCount) < LEAST_RECEIVES) {
    found.push(
      fault(
        `maxReceiveCount is ${maxReceiveCount}: every hand-back counts as a receive, so that events would be dead-lettered that only waited; set it to 1000`
      )
    )
  }
  if (deadLetterArn !== undefined && deadLetterArn !== deadLetterTargetArn) {
    found.push(
      warn(
        `its RedrivePolicy names ${deadLetterTargetArn}, which is not DEAD_LETTER_QUEUE_URL (${deadLetterArn}): what SQS puts aside, redrive does not see; set both to one queue`
      )
    )
  }
  return found
}

const waiting = (attributes: Attributes) => Number(attributes.ApproximateNumberOfMessages)
const inFlight = (attributes: Attributes) => Number(attributes.ApproximateNumberOfMessagesNotVisible)

const summary = (attributes: Attributes, thing: string): string =>
  `FIFO, kept for ${days(Number(attributes.MessageRetentionPeriod))}; about ` +
  `${count(waiting(attributes), thing)} waiting, ${inFlight(attributes).toLocaleString('en-US')} in flight`

const days = (seconds: number): string => count(Math.round((seconds / 86_400) * 10) / 10, 'day')
