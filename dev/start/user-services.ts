type Environment = Readonly<Record<string, string | undefined>>

/** Returns the services that the user provides, so that they are used instead of stand-ins. */
export const userServices = (environment: Environment) => ({
  ownCloudinary: Boolean(environment.CLOUDINARY_URL || environment.CLOUDINARY_SECRET_ID),
  ownQueue: Boolean(environment.QUEUE_URL),
  ownJournal: Boolean(environment.JOURNAL_TABLE)
})

/**
 * Returns the variables by which roles and commands find the stand-ins that are used.
 *
 * @param standIns the variables of all stand-ins
 */
export function embeddedVariables(environment: Environment, standIns: Environment): Record<string, string> {
  const { ownCloudinary, ownQueue, ownJournal } = userServices(environment)
  const {
    CLOUDINARY_URL,
    QUEUE_URL,
    DEAD_LETTER_QUEUE_URL,
    AWS_ENDPOINT_URL_SQS,
    JOURNAL_TABLE,
    AWS_ENDPOINT_URL_DYNAMODB,
    // provided only where processors require them
    CHAT_WEBHOOK_URL,
    FORWARD_SECRET,
    NOTIFY_TOPIC_ARN,
    AWS_ENDPOINT_URL_SNS,
    PUBLISH_SECRET,
    ARCHIVE_BUCKET,
    AWS_ENDPOINT_URL_S3,
    EVENT_BUS,
    AWS_ENDPOINT_URL_EVENTBRIDGE,
    ...credentials
  } = standIns
  return {
    ...(!ownQueue && { QUEUE_URL, DEAD_LETTER_QUEUE_URL, AWS_ENDPOINT_URL_SQS }),
    ...(!ownJournal && { JOURNAL_TABLE, AWS_ENDPOINT_URL_DYNAMODB }),
    // the stand-ins accept any credentials, AWS only the user's own
    ...(!ownQueue && !ownJournal && credentials),
    // the stand-in reaches the webhook on this machine
    ...(!ownCloudinary && { CLOUDINARY_URL, ...localWebhook(environment) })
  } as Record<string, string>
}

/** Returns the webhook URL for calls that request a notification, if the port is known before the start. */
function localWebhook({ PORT, WEBHOOK_URL }: Environment): Environment {
  if (WEBHOOK_URL || !Number(PORT)) return {}
  return { WEBHOOK_URL: `http://127.0.0.1:${PORT}/webhooks/cloudinary` }
}
