import type { VariableName } from '../app/config.ts'
import type { Queues } from './queues.ts'
import { namesOf } from './resource-names.ts'
import type { Settings } from './settings.ts'
import { PORT } from './timings.ts'

export type Environment = Partial<Record<VariableName, string>>

export interface EnvironmentOptions {
  settings: Settings
  queues: Queues
  webhookUrl: string
  /** Topic of the processor `notify`. */
  topicArn: string | undefined
  /** Bucket of the processor `archive`. */
  archiveBucket: string | undefined
  /** Aurora's URL without a password, for the processor `databaseSync`. */
  databaseUrl: string | undefined
}

/** Returns the environment variables of each role (app/config.ts), except secrets. */
export function environmentsOf(options: EnvironmentOptions) {
  const { settings, queues, webhookUrl, topicArn, archiveBucket, databaseUrl } = options
  const names = namesOf(settings.name)
  const common = {
    LOG_LEVEL: settings.logLevel,
    METRICS_NAMESPACE: names.metricsNamespace,
    CLOUDINARY_SECRET_ID: names.secret,
    QUEUE_URL: queues.queue.queueUrl
  } satisfies Environment
  const tracing: Environment = settings.otlpEndpoint
    ? {
        OTEL_EXPORTER_OTLP_ENDPOINT: settings.otlpEndpoint,
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: String(settings.traceShare)
      }
    : {}
  const journal: Environment = { JOURNAL_TABLE: names.journal }
  const worker: Environment = {
    ...settings.variables,
    ...common,
    ...tracing,
    ...journal,
    DEAD_LETTER_QUEUE_URL: queues.deadLetterQueue.queueUrl,
    WORKER_CONCURRENCY: String(settings.worker.concurrency),
    WEBHOOK_URL: webhookUrl,
    ...(topicArn && { NOTIFY_TOPIC_ARN: topicArn }),
    ...(archiveBucket && { ARCHIVE_BUCKET: archiveBucket }),
    ...(settings.eventBus && { EVENT_BUS: settings.eventBus }),
    ...(databaseUrl && { DATABASE_URL: databaseUrl })
  }
  return {
    web: {
      ...common,
      ...tracing,
      ...journal,
      PORT: String(PORT),
      SIGNATURE_TOLERANCE_SECONDS: String(settings.signatureToleranceSeconds),
      BODY_LIMIT_BYTES: String(settings.bodyLimitBytes)
    },
    poll: {
      ...common,
      ...tracing,
      ...journal,
      ...(settings.pollChannel && { POLL_CHANNEL: settings.pollChannel })
    },
    worker,
    // no Cloudinary secret: the role does not call Cloudinary. Password and tokens come from Secrets Manager
    activity: {
      LOG_LEVEL: common.LOG_LEVEL,
      METRICS_NAMESPACE: common.METRICS_NAMESPACE,
      QUEUE_URL: common.QUEUE_URL,
      DEAD_LETTER_QUEUE_URL: queues.deadLetterQueue.queueUrl,
      ...tracing,
      ...journal,
      PORT: String(PORT),
      ...(settings.activityAllowedOrigins.length > 0 && {
        ACTIVITY_ALLOWED_ORIGINS: settings.activityAllowedOrigins.join(',')
      })
    },
    reconcile: { ...common, ...tracing, ...journal },
    schedules: { ...common, ...tracing, ...journal },
    canary: {
      LOG_LEVEL: common.LOG_LEVEL,
      METRICS_NAMESPACE: common.METRICS_NAMESPACE,
      CLOUDINARY_SECRET_ID: common.CLOUDINARY_SECRET_ID,
      ...journal,
      WEBHOOK_URL: webhookUrl
    },
    operator: worker
  } satisfies Record<string, Environment>
}
