import type { VariableName } from '../app/config.ts'
import { namesOf } from './names.ts'
import type { Queues } from './queues.ts'
import type { Settings } from './settings.ts'
import { PORT } from './timings.ts'

export type Environment = Partial<Record<VariableName, string>>

export interface EnvironmentOptions {
  settings: Settings
  queues: Queues
  webhookUrl: string
  /** Of the processor `notify`. */
  topicArn: string | undefined
  /** Of the processor `databaseSync`, where it holds no password. */
  databaseUrl: string | undefined
}

/** The variables of app/config.ts that each role is given; secrets come beside them. */
export function environmentsOf({ settings, queues, webhookUrl, topicArn, databaseUrl }: EnvironmentOptions) {
  const names = namesOf(settings.name)
  const common: Environment = {
    LOG_LEVEL: settings.logLevel,
    METRICS_NAMESPACE: names.metrics,
    CLOUDINARY_SECRET_ID: names.secret,
    QUEUE_URL: queues.queue.queueUrl
  }
  const journal: Environment = { JOURNAL_TABLE: names.journal }
  const worker: Environment = {
    ...settings.variables,
    ...common,
    ...journal,
    DEAD_LETTER_QUEUE_URL: queues.deadLetterQueue.queueUrl,
    WORKER_CONCURRENCY: String(settings.worker.concurrency),
    WEBHOOK_URL: webhookUrl,
    ...(topicArn && { NOTIFY_TOPIC_ARN: topicArn }),
    ...(databaseUrl && { DATABASE_URL: databaseUrl })
  }
  return {
    web: {
      ...common,
      ...journal,
      PORT: String(PORT),
      SIGNATURE_TOLERANCE_SECONDS: String(settings.signatureToleranceSeconds),
      BODY_LIMIT_BYTES: String(settings.bodyLimitBytes)
    },
    poll: { ...common, ...journal, ...(settings.pollChannel && { POLL_CHANNEL: settings.pollChannel }) },
    worker,
    reconcile: { ...common, ...journal },
    /** Its password and tokens are secrets. */
    activity: { ...common, ...journal, PORT: String(PORT) },
    operator: worker
  } satisfies Record<string, Environment>
}
