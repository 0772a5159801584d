import { ListenerError } from '../errors.ts'
import { maskSecrets } from '../mask.ts'

/** What to do about an AWS error. */
export interface ErrorHints {
  /** What to do when the queue or the table does not exist. */
  missing?: string
  /** The permission that the call needs. */
  permission?: string
}

/** Codes of errors of the queue and the journal. Their cause is an error of AWS, which says more. */
const WRAPPED: Record<string, { name: string; hints: ErrorHints }> = {
  JOURNAL_UNAVAILABLE: {
    name: 'the journal',
    hints: {
      missing: 'correct JOURNAL_TABLE or AWS_REGION',
      permission: 'dynamodb:GetItem, BatchGetItem and PutItem, and Query on its index'
    }
  },
  QUEUE_UNAVAILABLE: {
    name: 'the queue',
    hints: {
      missing: 'correct QUEUE_URL or AWS_REGION',
      permission: 'sqs:SendMessage and sqs:GetQueueAttributes'
    }
  }
}

const CHECK_NETWORK =
  'check AWS_REGION, AWS_ENDPOINT_URL and the network path (NAT gateway or VPC endpoint, security group)'

/** Codes of network errors. File errors have system error codes too. */
const NETWORK =
  /^(?:ECONN[A-Z]+|E(?:HOST|NET)[A-Z]+|EAI_[A-Z]+|ENOTFOUND|ETIMEDOUT|EPIPE|EPROTO|EADDRNOTAVAIL)$/

/**
 * Describes in one line what went wrong and what to do. Prints only the name of an AWS error: AWS's messages
 * about signatures repeat the request with its session token.
 */
export const explain = (error: unknown, hints: ErrorHints = {}): string =>
  maskSecrets(explainUnmasked(error, hints))

function explainUnmasked(error: unknown, hints: ErrorHints): string {
  if (error instanceof ListenerError) {
    const wrapped = WRAPPED[error.code]
    if (!wrapped || error.cause === undefined) return error.message
    return `${wrapped.name}: ${explainUnmasked(error.cause, { ...wrapped.hints, ...hints })}`
  }
  if (!(error instanceof Error)) return 'unexpected error'
  const { missing, permission = 'the call' } = hints
  const { name, message, code } = error as Error & { code?: unknown }
  if (missing && /NonExistentQueue|QueueDoesNotExist|ResourceNotFound/.test(name)) {
    return `it does not exist (${name}); ${missing}`
  }
  if (/AccessDenied/.test(name)) return `access denied (${name}); allow ${permission}`
  if (/Credential|Token|Signature|UnrecognizedClient|InvalidSecurity/.test(name)) {
    return `AWS does not accept this process's credentials (${name}); give it a role or valid credentials`
  }
  if (/Abort|Timeout/.test(name)) return `no answer in time; ${CHECK_NETWORK}`
  if (typeof code === 'string' && NETWORK.test(code)) return `cannot connect (${code}); ${CHECK_NETWORK}`
  return Object.hasOwn(Object(error), '$metadata') ? `it failed (${name})` : `it failed (${name}: ${message})`
}
