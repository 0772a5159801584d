import type { ServiceProvider } from './provided-service.ts'

/** Provides the secret that `forward` signs with, and that the stand-in's receiver verifies. */
export const provideForwardSecret: ServiceProvider = async ({ standIns: { cloudinary, environment } }) => {
  const url = `${cloudinary.url}/_standin/received`
  return {
    environment: { FORWARD_SECRET: environment.FORWARD_SECRET! },
    hints: [`  forward     can post to ${url}`, `              received: curl ${url}`],
    stop: async () => {}
  }
}

/** Provides the topic that `notify` publishes to. */
export const provideTopic: ServiceProvider = async ({ standIns: { cloudinary, environment } }) => ({
  environment: {
    NOTIFY_TOPIC_ARN: environment.NOTIFY_TOPIC_ARN!,
    AWS_ENDPOINT_URL_SNS: environment.AWS_ENDPOINT_URL_SNS!
  },
  hints: [
    '  SNS         embedded topic; sends no e-mail and no text message',
    `              published: curl ${cloudinary.url}/_standin/messages`
  ],
  stop: async () => {}
})

/** Provides the bucket that `archive` stores events in. */
export const provideBucket: ServiceProvider = async ({ standIns: { sqs, environment } }) => ({
  environment: {
    ARCHIVE_BUCKET: environment.ARCHIVE_BUCKET!,
    AWS_ENDPOINT_URL_S3: environment.AWS_ENDPOINT_URL_S3!
  },
  hints: [
    '  S3          embedded bucket of `archive`, in memory',
    `              objects: curl ${sqs.url}/${sqs.bucket}; one: curl ${sqs.url}/${sqs.bucket}/KEY | gunzip`
  ],
  stop: async () => {}
})

/** Provides the event bus that `eventBridge` sends to. */
export const provideEventBus: ServiceProvider = async ({ standIns: { cloudinary, environment } }) => ({
  environment: {
    EVENT_BUS: environment.EVENT_BUS!,
    AWS_ENDPOINT_URL_EVENTBRIDGE: environment.AWS_ENDPOINT_URL_EVENTBRIDGE!
  },
  hints: [
    '  EventBridge embedded bus; starts no rules',
    `              events: curl ${cloudinary.url}/_standin/bus`
  ],
  stop: async () => {}
})
