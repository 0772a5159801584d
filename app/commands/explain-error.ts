import { ListenerError } from '../errors.ts'
import { maskSecrets } from '../mask.ts'

/** What an error of AWS may mean here. */
export interface Meanings {
  /** What to do when the thing asked for is not there. */
  missing?: string
  /** The permission that the call needs. */
  permission?: string
}

const PATH =
  'check AWS_REGION, AWS_ENDPOINT_URL and the network path (NAT gateway or VPC endpoint, security group)'

/** That there is no connection, or no longer: a file that cannot be read has a code of the system as well. */
const NETWORK =
  /^(?:ECONN[A-Z]+|E(?:HOST|NET)[A-Z]+|EAI_[A-Z]+|ENOTFOUND|ETIMEDOUT|EPIPE|EPROTO|EADDRNOTAVAIL)$/

/**
 * Says in one line what went wrong and what to do. Of what AWS answered it takes the name alone: its messages
 * about signatures repeat the request with its session token.
 */
export const explain = (error: unknown, meanings: Meanings = {}): string =>
  maskSecrets(explainUnmasked(error, meanings))

function explainUnmasked(error: unknown, { missing, permission }: Meanings): string {
  if (error instanceof ListenerError) return error.message
  const { name, message, code } = (error instanceof Error ? error : new Error()) as Error & { code?: unknown }
  if (missing && /NonExistentQueue|QueueDoesNotExist|ResourceNotFound/.test(name)) {
    return `it is not there (${name}); ${missing}`
  }
  if (/AccessDenied/.test(name)) return `access denied (${name}); allow ${permission ?? 'the call'}`
  if (/Credential|Token|Signature|UnrecognizedClient|InvalidSecurity/.test(name)) {
    return `AWS does not accept this process's credentials (${name}); give it a role or credentials that are valid`
  }
  if (/Abort|Timeout/.test(name)) return `no answer in time; ${PATH}`
  if (typeof code === 'string' && NETWORK.test(code)) return `cannot connect (${code}); ${PATH}`
  return Object.hasOwn(Object(error), '$metadata') ? `it failed (${name})` : `it failed (${name}: ${message})`
}
