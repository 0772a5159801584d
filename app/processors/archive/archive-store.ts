import type { S3Client } from '@aws-sdk/client-s3'
import type { Finding } from '../../processor.ts'
import { awsFailure } from '../aws-failure.ts'
import type { ArchiveObject } from './archive-object.ts'

type Sdk = typeof import('@aws-sdk/client-s3')

const FAILURE = {
  service: 'S3',
  code: 'ARCHIVE',
  // a bucket in another region is redirected to
  permanent: /^(?:NoSuchBucket|InvalidBucketName|PermanentRedirect|InvalidRequest|EntityTooLarge|KeyTooLong)/,
  permission: 's3:PutObject (and kms:GenerateDataKey for a key of your own)'
}

/** Stores objects in a bucket. */
export class ArchiveStore {
  readonly #sdk: Sdk
  readonly #client: S3Client
  readonly #bucket: string

  private constructor(sdk: Sdk, bucket: string, region: string | undefined, timeoutMs: number) {
    this.#sdk = sdk
    this.#bucket = bucket
    this.#client = new sdk.S3Client({
      ...(region && { region }),
      maxAttempts: 3,
      // the state stack's bucket is in the first region
      followRegionRedirects: true,
      // local stand-ins resolve no host names of buckets; S3 accepts both styles
      // https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
      forcePathStyle: true,
      requestHandler: { connectionTimeout: 1000, requestTimeout: timeoutMs, throwOnRequestTimeout: true }
    })
  }

  /**
   * Loads the SDK.
   *
   * @param region (Default: the region of the AWS SDK's variables)
   * @param timeoutMs maximum time for a response, in milliseconds. The SDK makes up to three calls
   */
  static async open(bucket: string, region: string | undefined, timeoutMs = 10_000): Promise<ArchiveStore> {
    return new ArchiveStore(await import('@aws-sdk/client-s3'), bucket, region, timeoutMs)
  }

  /**
   * Stores an object, and replaces one with the same key.
   *
   * @throws {ListenerError} ARCHIVE_UNAVAILABLE or ARCHIVE_UNAUTHORIZED, to retry
   * @throws {PermanentError} ARCHIVE_REJECTED
   */
  async put({ key, body }: Pick<ArchiveObject, 'key' | 'body'>): Promise<void> {
    const { PutObjectCommand } = this.#sdk
    const input = { Bucket: this.#bucket, Key: key, Body: body, ContentType: 'application/gzip' }
    try {
      await this.#client.send(new PutObjectCommand(input))
    } catch (error) {
      throw awsFailure(error, FAILURE)
    }
  }

  /**
   * Checks that the bucket exists. A missing permission to check is a warning, since storing may be allowed.
   *
   * @throws {ListenerError} like `put`
   */
  async check(signal: AbortSignal): Promise<Finding> {
    try {
      await this.#client.send(new this.#sdk.HeadBucketCommand({ Bucket: this.#bucket }), {
        abortSignal: signal
      })
      return { level: 'ok', message: `bucket ${this.#bucket} exists` }
    } catch (error) {
      signal.throwIfAborted()
      // the response to a HEAD request has no body, so the SDK knows only the status
      const { name } = error as Error
      if (name === 'NotFound') {
        return {
          level: 'fault',
          message: `bucket ${this.#bucket} does not exist; create it, or correct \`bucket\``
        }
      }
      const failure = awsFailure(error, { ...FAILURE, permission: 's3:ListBucket' })
      if (failure.code !== 'ARCHIVE_UNAUTHORIZED') throw failure
      return { level: 'warning', message: `cannot check bucket ${this.#bucket} (${failure.message})` }
    }
  }

  close(): void {
    this.#client.destroy()
  }
}
