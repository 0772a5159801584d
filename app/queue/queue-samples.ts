import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs'
import type { QueueSample } from '../activity/activity-store.ts'
import { type StartInterval, startInterval } from '../interval.ts'
import type { Logger } from '../logger.ts'

export interface QueueSamplesOptions {
  sqs: SQSClient
  queueUrl: string
  deadLetterQueueUrl: string
  isBreakerOpen: () => boolean
  /** Stores the newest sample. */
  put: (sample: QueueSample) => Promise<void>
  log: Logger
  /** Milliseconds since the epoch. */
  clock: () => number
  every?: StartInterval
}

const PERIOD_MS = 10_000

/** Maximum duration of the calls of one sample, in milliseconds. */
const TIMEOUT_MS = 3000

/** Minimum time between two logs of failed samples, in milliseconds. */
const LOG_PERIOD_MS = 60_000

/** Samples the queues for the activity page. A failure does not affect other work. */
export class QueueSamples {
  readonly #options: Required<QueueSamplesOptions>
  #longestWaitMs: number | undefined
  #loggedAt = Number.NEGATIVE_INFINITY
  #sampling: Promise<void> | undefined
  #stopTimer: () => void = () => {}

  constructor(options: QueueSamplesOptions) {
    this.#options = { every: startInterval, ...options }
  }

  start(): void {
    this.#sample()
    this.#stopTimer = this.#options.every(PERIOD_MS, () => this.#sample())
  }

  /** Records how long an event waited to start: SQS reports the age of its oldest message only to CloudWatch. */
  started(waitedMs: number): void {
    this.#longestWaitMs = Math.max(this.#longestWaitMs ?? 0, waitedMs)
  }

  async stop(): Promise<void> {
    this.#stopTimer()
    await this.#sampling
  }

  #sample(): void {
    this.#sampling ??= this.#write().finally(() => {
      this.#sampling = undefined
    })
  }

  async #write(): Promise<void> {
    const { queueUrl, deadLetterQueueUrl, isBreakerOpen, put, log, clock } = this.#options
    try {
      const [queue, deadLetters] = await Promise.all([this.#count(queueUrl), this.#count(deadLetterQueueUrl)])
      const waitedMs = this.#longestWaitMs
      this.#longestWaitMs = undefined
      await put({
        at: new Date(clock()).toISOString(),
        waiting: queue.visible,
        inFlight: queue.hidden,
        deadLetters: deadLetters.visible + deadLetters.hidden,
        ...(waitedMs !== undefined && { oldestSeconds: Math.round(waitedMs / 1000) }),
        breakerOpen: isBreakerOpen()
      })
    } catch (err) {
      if (clock() - this.#loggedAt < LOG_PERIOD_MS) return
      this.#loggedAt = clock()
      log.warn({ err }, 'queue sample not written; retrying')
    }
  }

  async #count(queueUrl: string): Promise<{ visible: number; hidden: number }> {
    const { Attributes = {} } = await this.#options.sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible']
      }),
      { abortSignal: AbortSignal.timeout(TIMEOUT_MS) }
    )
    return {
      visible: Number(Attributes.ApproximateNumberOfMessages),
      hidden: Number(Attributes.ApproximateNumberOfMessagesNotVisible)
    }
  }
}
