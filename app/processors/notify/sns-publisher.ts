import {
  GetTopicAttributesCommand,
  PublishCommand,
  type PublishCommandInput,
  SNSClient
} from '@aws-sdk/client-sns'
import { ConfigError } from '../../config.ts'
import { ListenerError, PermanentError } from '../../errors.ts'
import type { Finding } from '../../processor.ts'

/**
 * Names of SNS errors that a retry does not fix. A missing permission is not among them: it can be granted.
 */
const PERMANENT = /^(?:InvalidParameter|InvalidParameterValue|Validation|NotFound|OptedOut|EndpointDisabled)/

/** Maximum length of SNS's message in an error, in characters. */
const MAX_EXCERPT = 300

/** An SNS client with timeouts, whose errors never contain a phone number. */
export class Publisher {
  readonly #client: SNSClient

  /**
   * @param region (Default: the region of the AWS SDK's variables, which also set endpoint and credentials)
   */
  constructor(region?: string) {
    this.#client = new SNSClient({
      ...(region && { region }),
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true }
    })
  }

  /** @throws {ConfigError} if no region is configured */
  async checkRegion(): Promise<void> {
    try {
      await this.#client.config.region()
    } catch {
      throw new ConfigError([
        'AWS_REGION is not set; must be the region to send text messages from, such as eu-west-1'
      ])
    }
  }

  /**
   * Publishes a message and returns its id.
   *
   * @throws {ListenerError} NOTIFY_UNAVAILABLE or NOTIFY_UNAUTHORIZED, to retry
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
   * Checks that a topic exists. A missing permission to check is only a warning, since publishing may be
   * allowed.
   *
   * @throws {ListenerError} like `publish`
   */
  async checkTopic(topicArn: string, signal: AbortSignal): Promise<Finding> {
    try {
      await this.#client.send(new GetTopicAttributesCommand({ TopicArn: topicArn }), { abortSignal: signal })
      return { level: 'ok', message: `topic ${topicArn} exists` }
    } catch (error) {
      signal.throwIfAborted()
      const refused = errorOf(error, {})
      if (refused.code !== 'NOTIFY_UNAUTHORIZED') throw refused
      const message = `cannot check topic ${topicArn} (${refused.message}); allow sns:GetTopicAttributes`
      return { level: 'warning', message }
    }
  }

  close(): void {
    this.#client.destroy()
  }
}

function errorOf(error: unknown, { PhoneNumber }: Pick<PublishCommandInput, 'PhoneNumber'>): ListenerError {
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
  // later lines may contain the signed request
  const [line = ''] = message.split('\n', 1)
  const masked = PhoneNumber ? line.replaceAll(PhoneNumber, '[phone number]') : line
  const text = `SNS: ${name}: ${masked.slice(0, MAX_EXCERPT)}`
  if (PERMANENT.test(name)) return new PermanentError(text, { code: 'NOTIFY_REJECTED' })
  const isUnauthorized = [401, 403].includes($metadata?.httpStatusCode ?? 0)
  return new ListenerError(isUnauthorized ? 'NOTIFY_UNAUTHORIZED' : 'NOTIFY_UNAVAILABLE', text)
}
