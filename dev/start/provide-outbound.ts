import type { Provider } from './provisions.ts'

/** The secret that `forward` signs with, and that is verified by where it can post to. */
export const provideForwardSecret: Provider = async ({ standIns: { cloudinary, environment } }) => {
  const url = `${cloudinary.url}/_standin/received`
  return {
    environment: { FORWARD_SECRET: environment.FORWARD_SECRET! },
    hints: [`  forward     may post to ${url}`, `              what came: curl ${url}`],
    stop: async () => {}
  }
}

/** The topic that `notify` publishes to, whose messages can be read. */
export const provideTopic: Provider = async ({ standIns: { cloudinary, environment } }) => ({
  environment: {
    NOTIFY_TOPIC_ARN: environment.NOTIFY_TOPIC_ARN!,
    AWS_ENDPOINT_URL_SNS: environment.AWS_ENDPOINT_URL_SNS!
  },
  hints: [
    '  SNS         a topic (embedded); nobody gets e-mails or text messages',
    `              what was published: curl ${cloudinary.url}/_standin/messages`
  ],
  stop: async () => {}
})
