import type { CloudFrontClient } from '@aws-sdk/client-cloudfront'
import { ListenerError, PermanentError, RetryLaterError } from '../../errors.ts'
import type { Finding } from '../../processor.ts'

/** A content delivery network. */
export interface Cdn {
  /**
   * Removes paths from its caches. A path may end with `*`. Must be safe to repeat.
   *
   * @param options `reference` is the same for each attempt with the same events and paths
   */
  invalidate: (
    paths: readonly string[],
    options: { signal: AbortSignal; reference: string }
  ) => Promise<unknown> | unknown
}

/**
 * Paths that may be in progress: 3,000, and 15 with a wildcard. A change with more is replaced by everything,
 * which is one path with a wildcard.
 * Source: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html
 */
const MAX_WILDCARDS = 5
const MAX_PATHS = 1000

/** Time until an invalidation that exceeds these limits is tried again, in milliseconds. */
const PAUSE_MS = 60_000

/** Names of errors that a retry does not fix. A missing permission is not among them: it can be granted. */
const PERMANENT = /^(?:NoSuchDistribution|InvalidArgument|BatchTooLarge|ValidationError|MalformedXML)/

/** Maximum length of CloudFront's message in an error, in characters. */
const MAX_EXCERPT = 300

/** Leaves out paths that a wildcard includes, and bounds the number of paths. */
export function fitPaths(paths: readonly string[]): string[] {
  const wildcards = paths.filter((path) => path.endsWith('*'))
  const isIncluded = (path: string) =>
    wildcards.some((wildcard) => wildcard !== path && path.startsWith(wildcard.slice(0, -1)))
  const needed = paths.filter((path) => !isIncluded(path))
  const tooMany = needed.filter((path) => path.endsWith('*')).length > MAX_WILDCARDS
  return tooMany || needed.length > MAX_PATHS ? ['/*'] : needed
}

/** Invalidates paths of a CloudFront distribution, with the official client. */
export class CloudFront implements Cdn {
  readonly #sdk: typeof import('@aws-sdk/client-cloudfront')
  readonly #client: CloudFrontClient
  readonly #distributionId: string
  readonly #clock: () => number

  private constructor(
    sdk: typeof import('@aws-sdk/client-cloudfront'),
    distributionId: string,
    clock: () => number
  ) {
    this.#sdk = sdk
    this.#distributionId = distributionId
    this.#clock = clock
    this.#client = new sdk.CloudFrontClient({
      maxAttempts: 3,
      requestHandler: { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true }
    })
  }

  /** Loads the client, which only listeners with a distribution need. */
  static async create(distributionId: string, clock: () => number): Promise<CloudFront> {
    return new CloudFront(await import('@aws-sdk/client-cloudfront'), distributionId, clock)
  }

  /**
   * Creates an invalidation and returns its id. With the same reference and paths CloudFront returns the
   * existing one.
   *
   * @throws {ListenerError} PUBLISH_UNAVAILABLE or PUBLISH_UNAUTHORIZED, to retry
   * @throws {PermanentError} PUBLISH_REJECTED
   */
  async invalidate(
    paths: readonly string[],
    { signal, reference }: { signal: AbortSignal; reference: string }
  ): Promise<string> {
    const items = fitPaths(paths)
    const command = new this.#sdk.CreateInvalidationCommand({
      DistributionId: this.#distributionId,
      InvalidationBatch: { CallerReference: reference, Paths: { Quantity: items.length, Items: items } }
    })
    try {
      const { Invalidation } = await this.#client.send(command, { abortSignal: signal })
      return String(Invalidation?.Id)
    } catch (error) {
      signal.throwIfAborted()
      throw errorOf(error, this.#clock())
    }
  }

  /** Checks that the distribution exists. A missing permission to check is only a warning. */
  async check(signal: AbortSignal): Promise<Finding> {
    const id = this.#distributionId
    const command = new this.#sdk.GetDistributionCommand({ Id: id })
    try {
      const { Distribution } = await this.#client.send(command, { abortSignal: signal })
      return { level: 'ok', message: `distribution ${id} exists (${Distribution?.Status})` }
    } catch (error) {
      signal.throwIfAborted()
      const refused = errorOf(error, this.#clock())
      if (refused.code !== 'PUBLISH_UNAUTHORIZED') throw refused
      const message = `cannot check distribution ${id} (${refused.message}); allow cloudfront:GetDistribution`
      return { level: 'warning', message }
    }
  }

  close(): void {
    this.#client.destroy()
  }
}

function errorOf(error: unknown, now: number): ListenerError {
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } }
  // later lines may contain the signed request
  const [line = ''] = message.split('\n', 1)
  const text = `CloudFront: ${name}: ${line.slice(0, MAX_EXCERPT)}`
  if (PERMANENT.test(name)) return new PermanentError(text, { code: 'PUBLISH_REJECTED' })
  if (name === 'TooManyInvalidationsInProgress') {
    return new RetryLaterError(text, new Date(now + PAUSE_MS), { code: 'PUBLISH_UNAVAILABLE' })
  }
  const isUnauthorized = [401, 403].includes($metadata?.httpStatusCode ?? 0)
  return new ListenerError(isUnauthorized ? 'PUBLISH_UNAUTHORIZED' : 'PUBLISH_UNAVAILABLE', text)
}
