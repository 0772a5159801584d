import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  SecretsManagerServiceException
} from '@aws-sdk/client-secrets-manager'
import { ListenerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type CloudinaryEnvironment, parseCloudinaryUrl, parseSecret } from './cloudinary-url.ts'

/** Current and previous credentials. The previous ones verify notifications signed before a rotation. */
export interface SecretVersions {
  current: CloudinaryEnvironment[]
  previous: CloudinaryEnvironment[]
}

export interface SecretSource {
  read(): Promise<SecretVersions>
  /** True if the credentials never change. */
  readonly fixed?: boolean
}

/**
 * Creates a source from `CLOUDINARY_URL`.
 *
 * @throws {ListenerError} `CLOUDINARY_URL_INVALID`
 */
export function fromUrl(cloudinaryUrl: string): SecretSource {
  const current = [parseCloudinaryUrl(cloudinaryUrl)]
  return { fixed: true, read: async () => ({ current, previous: [] }) }
}

const NOT_FOUND = new Set([
  'ResourceNotFoundException',
  'InvalidRequestException',
  'InvalidParameterException'
])

const ACCESS_DENIED = new Set(['AccessDeniedException', 'DecryptionFailure'])

/**
 * Names of errors for a caller that AWS does not recognise. Source:
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
 */
const NO_CREDENTIALS = new Set([
  'CredentialsProviderError',
  'ExpiredTokenException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'NotAuthorized',
  'UnrecognizedClientException'
])

/**
 * Returns the error, to be used as a cause, if its message cannot hold a secret. Signature errors quote the
 * canonical request with its session token; a SyntaxError quotes the response, which holds the secret.
 */
function safeCause(error: Error): { cause?: Error } {
  const fromService = error instanceof SecretsManagerServiceException && !NO_CREDENTIALS.has(error.name)
  const fromSystem = 'syscall' in error
  return fromService || fromSystem ? { cause: error } : {}
}

function toListenerError(thrown: unknown, secretId: string): ListenerError {
  const error = thrown instanceof Error ? thrown : new Error()
  const cause = safeCause(error)
  if (NOT_FOUND.has(error.name)) {
    return new ListenerError(
      'SECRET_NOT_FOUND',
      `Secrets Manager has no value for the secret "${secretId}" here (${error.name}). ` +
        'Correct CLOUDINARY_SECRET_ID or AWS_REGION, set a value, or restore the secret if it is deleted.',
      cause
    )
  }
  if (ACCESS_DENIED.has(error.name)) {
    return new ListenerError(
      'SECRET_ACCESS_DENIED',
      `This role may not read the secret "${secretId}" (${error.name}). ` +
        'Allow secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its KMS key if it has one.',
      cause
    )
  }
  if (NO_CREDENTIALS.has(error.name)) {
    return new ListenerError(
      'SECRET_ACCESS_DENIED',
      `AWS rejects this process's credentials for the secret "${secretId}" (${error.name}). ` +
        'Give the process a role that allows secretsmanager:GetSecretValue, or valid AWS credentials.',
      cause
    )
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return new ListenerError(
    'SECRET_UNAVAILABLE',
    `Secrets Manager did not answer the request for the secret "${secretId}" (${code}). If this persists, ` +
      'check the network path to Secrets Manager (NAT gateway or VPC endpoint), AWS_REGION, AWS_ENDPOINT_URL ' +
      'and the request quota of secretsmanager:GetSecretValue.',
    cause
  )
}

/**
 * Creates a source from a secret in AWS Secrets Manager, in the formats of {@link parseSecret}.
 *
 * `read` throws {@link ListenerError} `SECRET_NOT_FOUND`, `SECRET_ACCESS_DENIED`, `SECRET_UNAVAILABLE` or
 * `SECRET_INVALID`. A missing or invalid previous value is ignored: a secret may have been created with a
 * random value.
 *
 * @param secretId name or ARN
 * @param options.timeoutMs timeout of a whole read, including the client's retries. (Default: 10 s)
 */
export function fromSecretsManager(
  client: SecretsManagerClient,
  secretId: string,
  options: { log: Logger; timeoutMs?: number }
): SecretSource {
  const { log, timeoutMs = 10_000 } = options
  // logs each invalid previous value once
  let reportedVersion: string | undefined

  async function get(stage: 'AWSCURRENT' | 'AWSPREVIOUS', abortSignal: AbortSignal) {
    const command = new GetSecretValueCommand({ SecretId: secretId, VersionStage: stage })
    const { SecretString, SecretBinary, VersionId } = await client.send(command, { abortSignal })
    return { text: SecretString ?? new TextDecoder().decode(SecretBinary), version: VersionId }
  }

  async function current(abortSignal: AbortSignal): Promise<CloudinaryEnvironment[]> {
    const { text } = await get('AWSCURRENT', abortSignal).catch((error) => {
      throw toListenerError(error, secretId)
    })
    return parseSecret(text)
  }

  async function previous(abortSignal: AbortSignal): Promise<CloudinaryEnvironment[]> {
    const value = await get('AWSPREVIOUS', abortSignal).catch((error) => {
      if (error instanceof ResourceNotFoundException) return undefined
      throw toListenerError(error, secretId)
    })
    if (!value) return []
    try {
      return parseSecret(value.text)
    } catch (err) {
      if (value.version !== reportedVersion) {
        reportedVersion = value.version
        log.warn({ err, secretId }, 'previous secret value ignored')
      }
      return []
    }
  }

  return {
    async read() {
      const abortSignal = AbortSignal.timeout(timeoutMs)
      // read the current value first: after a rotation between the two reads, both values have the old key.
      // In the other order neither value would have it, and notifications signed with it would be refused
      return { current: await current(abortSignal), previous: await previous(abortSignal) }
    }
  }
}
