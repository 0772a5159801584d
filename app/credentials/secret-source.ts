import {
  GetSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  SecretsManagerServiceException
} from '@aws-sdk/client-secrets-manager'
import { ListenerError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type CloudinaryEnvironment, parseCloudinaryUrl, parseSecret } from './cloudinary-url.ts'

/** The credentials now, and those before the last rotation, which may still verify what is on its way. */
export interface SecretVersions {
  current: CloudinaryEnvironment[]
  previous: CloudinaryEnvironment[]
}

/** Where the credentials come from. */
export type SecretSource = {
  read(): Promise<SecretVersions>
  /** True where a second read can bring nothing new. */
  readonly fixed?: boolean
}

/**
 * Credentials from the environment's `CLOUDINARY_URL`.
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

/** The caller is not known at all. https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html */
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
 * The error as a cause, if its message cannot hold a secret. Those about a signature repeat the canonical
 * request with its session token; a SyntaxError quotes the answer it could not parse, which holds the secret.
 */
function safeCause(error: Error): { cause?: Error } {
  const fromService = error instanceof SecretsManagerServiceException && !NO_CREDENTIALS.has(error.name)
  const fromSystem = 'syscall' in error
  return fromService || fromSystem ? { cause: error } : {}
}

function explain(thrown: unknown, secretId: string): ListenerError {
  const error = thrown instanceof Error ? thrown : new Error()
  const cause = safeCause(error)
  if (NOT_FOUND.has(error.name)) {
    return new ListenerError(
      'SECRET_NOT_FOUND',
      `Secrets Manager has no value for the secret "${secretId}" in this account and region (${error.name}). ` +
        'Correct CLOUDINARY_SECRET_ID or AWS_REGION, give the secret a value, or restore it if it is marked for deletion.',
      cause
    )
  }
  if (ACCESS_DENIED.has(error.name)) {
    return new ListenerError(
      'SECRET_ACCESS_DENIED',
      `This role may not read the secret "${secretId}" (${error.name}). Allow it secretsmanager:GetSecretValue ` +
        'on the secret and, if the secret has a KMS key of its own, kms:Decrypt on that key.',
      cause
    )
  }
  if (NO_CREDENTIALS.has(error.name)) {
    return new ListenerError(
      'SECRET_ACCESS_DENIED',
      `AWS does not accept this process's credentials, so the secret "${secretId}" cannot be read (${error.name}). ` +
        'Give the process a role that allows secretsmanager:GetSecretValue, or AWS credentials that are valid.',
      cause
    )
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return new ListenerError(
    'SECRET_UNAVAILABLE',
    `Secrets Manager did not answer the request for the secret "${secretId}" (${code}). It may pass; if it does ` +
      'not, check the network path to Secrets Manager (NAT gateway or VPC endpoint), AWS_REGION, AWS_ENDPOINT_URL ' +
      'and the request quota of secretsmanager:GetSecretValue.',
    cause
  )
}

/**
 * Credentials from a secret in AWS Secrets Manager, in the formats of {@link parseSecret}.
 *
 * `read` throws {@link ListenerError} `SECRET_NOT_FOUND`, `SECRET_ACCESS_DENIED`, `SECRET_UNAVAILABLE` or
 * `SECRET_INVALID`. An earlier value that is not there or cannot be parsed is no fault: a secret that was
 * created with a random value has such a one.
 *
 * @param secretId name or ARN
 * @param options.timeoutMs for a whole read, with the client's own retries; the client has no time-out of its own
 */
export function fromSecretsManager(
  client: SecretsManagerClient,
  secretId: string,
  options: { log: Logger; timeoutMs?: number }
): SecretSource {
  const { log, timeoutMs = 10_000 } = options
  // Said once for each earlier value that is unusable, not at every read of it.
  let reportedVersion: string | undefined

  async function get(stage: 'AWSCURRENT' | 'AWSPREVIOUS', abortSignal: AbortSignal) {
    const command = new GetSecretValueCommand({ SecretId: secretId, VersionStage: stage })
    const { SecretString, SecretBinary, VersionId } = await client.send(command, { abortSignal })
    return { text: SecretString ?? new TextDecoder().decode(SecretBinary), version: VersionId }
  }

  async function current(abortSignal: AbortSignal): Promise<CloudinaryEnvironment[]> {
    const { text } = await get('AWSCURRENT', abortSignal).catch((error) => {
      throw explain(error, secretId)
    })
    return parseSecret(text)
  }

  async function previous(abortSignal: AbortSignal): Promise<CloudinaryEnvironment[]> {
    const value = await get('AWSPREVIOUS', abortSignal).catch((error) => {
      if (error instanceof ResourceNotFoundException) return undefined
      throw explain(error, secretId)
    })
    if (!value) return []
    try {
      return parseSecret(value.text)
    } catch (err) {
      if (value.version !== reportedVersion) {
        reportedVersion = value.version
        log.warn(
          { err, secretId },
          'the earlier value of the secret (AWSPREVIOUS) is not usable and is ignored'
        )
      }
      return []
    }
  }

  return {
    async read() {
      const abortSignal = AbortSignal.timeout(timeoutMs)
      // In this order: a rotation between the two reads then shows the old key twice and the new one at the next
      // read. The other way round the old key, which notifications on their way are signed with, would be missed.
      return { current: await current(abortSignal), previous: await previous(abortSignal) }
    }
  }
}
