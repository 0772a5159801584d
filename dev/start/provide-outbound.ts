import type { Provider } from './provision.ts'

/** Provides the secret that `forward` signs with, and that the stand-in's receiver verifies. */
export const provideForwardSecret: Provider = async ({ standIns: { cloudinary, environment } }) => {
  const url = `${cloudinary.url}/_standin/received`
  return {
    environment: { FORWARD_SECRET: environment.FORWARD_SECRET! },
    hints: [`  forward     can post to ${url}`, `              received: curl ${url}`],
    stop: async () => {}
  }
}

/** Provides the webhook that `chat` posts to. */
export const provideChatWebhook: Provider = async ({ standIns: { cloudinary } }) => {
  const url = `${cloudinary.url}/_standin/chat`
  return {
    environment: { CHAT_WEBHOOK_URL: url },
    hints: [`  chat        posts to a stand-in, and to nobody else; see the messages: ${url}`],
    stop: async () => {}
  }
}

/** Provides the topic that `notify` publishes to. */
export const provideTopic: Provider = async ({ standIns: { cloudinary, environment } }) => ({
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
