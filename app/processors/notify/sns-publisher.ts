import {
  GetTopicAttributesCommand,
  PublishCommand,
  type PublishCommandInput,
  SNSClient
} from '@aws-sdk/client-sns'
import { ConfigError } from '../../config.ts'
import { ListenerError, PermanentError } from '../../errors.ts'
import type { Finding } from '../../processor.ts'

/** What SNS refuses, and will refuse again, by the names of its errors. A permission can be given meanwhile. */
const PERMANENT = /^(?:InvalidParameter|InvalidParameterValue|Validation|NotFound|OptedOut|EndpointDisabled)/

/** Of an error so many characters are told. */
const TOLD_CHARACTERS = 300

/** SNS, with bounded times, and errors that say what to do and hold no phone number. */
export class Publisher {
  readonly #client: SNSClient

  /** @param region default: that of the AWS SDK's own variables, which say as well where SNS is and who we are */
  constructor(region?: string) {
    this.#client = new SNSClient({
      ...(region && { region }),
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true }
    })
  }

  /** @throws {ConfigError} when nothing says which region */
  async checkRegion(): Promise<void> {
    try {
      await this.#client.config.region()
    } catch {
      throw new ConfigError([
        'AWS_REGION is not set; it must be the region to send text messages from, such as eu-west-1'
      ])
    }
  }

  /**
   * Publishes, and gives the id of the message.
   *
   * @throws {ListenerError} NOTIFY_UNAVAILABLE, NOTIFY_UNAUTHORIZED where another try may succeed
   * @throws {PermanentError} NOTIFY_REJECTED
   */
  async publish(input: PublishCommandInput, signal: AbortSignal): Promise<string> {
    try {
      const { MessageId } = await this.#client.send(new PublishCommand(input), { abortSignal: signal })
      return String(MessageId)
    } catch (error) {
      signal.throwIfAborted()
      throw errorOf(error, input)
    }
  }

  /**
   * Whether there is such a topic. Who may not ask may publish all the same.
   *
   * @throws {ListenerError} as `publish`
   */
  async checkTopic(topicArn: string, signal: AbortSignal): Promise<Finding> {
    try {
      await this.#client.send(new GetTopicAttributesCommand({ TopicArn: topicArn }), { abortSignal: signal })
      return { level: 'ok', message: `the topic ${topicArn} is there` }
    } catch (error) {
      signal.throwIfAborted()
      const refused = errorOf(error, {})
      if (refused.code !== 'NOTIFY_UNAUTHORIZED') throw refused
      const message = `the topic ${topicArn} cannot be checked (${refused.message}); allow sns:GetTopicAttributes`
      return { level: 'warning', message }
    }
  }

  close(): void {
    this.#client.destroy()
  }
}

function errorOf(error: unknown, { PhoneNumber }: Pick<PublishCommandInput, 'PhoneNumber'>): ListenerError {
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
  // the lines after the first may hold what was signed
  const [line = ''] = message.split('\n', 1)
  const told = PhoneNumber ? line.replaceAll(PhoneNumber, '[phone number]') : line
  const said = `SNS: ${name}: ${told.slice(0, TOLD_CHARACTERS)}`
  if (PERMANENT.test(name)) return new PermanentError(said, { code: 'NOTIFY_REJECTED' })
  const isRefused = [401, 403].includes($metadata?.httpStatusCode ?? 0)
  return new ListenerError(isRefused ? 'NOTIFY_UNAUTHORIZED' : 'NOTIFY_UNAVAILABLE', said)
}
