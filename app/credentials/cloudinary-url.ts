import { ListenerError } from '../errors.ts'

/** A Cloudinary product environment with an API key. */
export interface CloudinaryEnvironment {
  cloudName: string
  apiKey: string
  apiSecret: string
  /** URL of the API, without a trailing slash. (Default: https://api.cloudinary.com) */
  uploadPrefix?: string
  /** `sha256` refuses SHA-1 signatures. (Default: both algorithms are accepted) */
  signatureAlgorithm?: 'sha1' | 'sha256'
}

/** Returns the URL of the environment's API, up to `/v1_1`. */
export const apiBaseUrl = ({ uploadPrefix = 'https://api.cloudinary.com' }: CloudinaryEnvironment): string =>
  uploadPrefix

type ParsedUrl =
  | { outcome: 'parsed'; environment: CloudinaryEnvironment }
  | { outcome: 'invalid'; problem: string }

const FORM = 'cloudinary://KEY:SECRET@CLOUD[?upload_prefix=…&signature_algorithm=sha256]'

const invalid = (problem: string): ParsedUrl => ({ outcome: 'invalid', problem })

/** Cloudinary's console shows `<your_api_secret>` or `**********` while a key is hidden. */
const isPlaceholder = (text: string) => /^(?:<.*>|\*+)$/.test(text)

function isUploadPrefix(text: string): boolean {
  // lower case only, so that the scheme can be compared as text
  if (!/^https?:\/\/\S+$/.test(text) || !URL.canParse(text)) return false
  const { username, password, search, hash } = new URL(text)
  return `${username}${password}${search}${hash}` === ''
}

/**
 * Parses without `URL`, which percent-encodes `=`, `|`, `@` and other characters of the secret, and whose
 * errors quote the whole text.
 */
function parse(text: string): ParsedUrl {
  const match = /^cloudinary:\/\/([^/?#]*)[^?#]*(?:\?([^#]*))?/i.exec(text)
  if (!match) return invalid('it does not start with cloudinary://')
  const [, authority = '', query = ''] = match
  if (/\s/.test(authority)) return invalid('it contains white space')

  const at = authority.lastIndexOf('@')
  if (at === -1) {
    return invalid(
      authority.includes(':')
        ? 'the cloud name is missing (there is no @ after the key and the secret)'
        : 'the API key and the API secret are missing'
    )
  }
  const credentials = authority.slice(0, at)
  const colon = credentials.indexOf(':')
  const apiKey = colon === -1 ? credentials : credentials.slice(0, colon)
  const apiSecret = colon === -1 ? '' : credentials.slice(colon + 1)
  const cloudName = authority.slice(at + 1)
  if (!apiKey) return invalid('the API key is missing')
  if (!apiSecret) return invalid('the API secret is missing')
  if (!cloudName) return invalid('the cloud name is missing')
  if (isPlaceholder(apiKey)) return invalid('the API key is a placeholder; replace it with the real one')
  if (isPlaceholder(apiSecret))
    return invalid('the API secret is a placeholder; replace it with the real one')
  // the cloud name is part of the path of every call
  if (!/^\w[\w.-]*$/.test(cloudName)) {
    return invalid('the cloud name may contain only letters, digits, hyphens, underscores and dots')
  }

  const environment: CloudinaryEnvironment = { cloudName, apiKey, apiSecret }
  const options = new URLSearchParams(query)
  // the SDK uses the last of repeated parameters
  const uploadPrefix = options.getAll('upload_prefix').at(-1)?.replace(/\/+$/, '')
  if (uploadPrefix !== undefined) {
    if (!isUploadPrefix(uploadPrefix)) {
      return invalid(
        'its upload_prefix is not a plain http:// or https:// URL, such as https://api-eu.cloudinary.com'
      )
    }
    environment.uploadPrefix = uploadPrefix
  }
  const signatureAlgorithm = options.getAll('signature_algorithm').at(-1)
  if (signatureAlgorithm !== undefined) {
    if (signatureAlgorithm !== 'sha1' && signatureAlgorithm !== 'sha256') {
      return invalid('its signature_algorithm is neither sha1 nor sha256')
    }
    environment.signatureAlgorithm = signatureAlgorithm
  }
  return { outcome: 'parsed', environment }
}

/**
 * Parses a `CLOUDINARY_URL`, as shown in Cloudinary's console under API Keys. Key and secret are not
 * percent-decoded. Ignores surrounding white space, other parameters, and the path (the SDK's private CDN,
 * which only affects delivery URLs).
 *
 * @throws {ListenerError} `CLOUDINARY_URL_INVALID`, which names the invalid part and quotes nothing
 */
export function parseCloudinaryUrl(text: string): CloudinaryEnvironment {
  const parsed = parse(text.trim())
  if (parsed.outcome === 'parsed') return parsed.environment
  throw new ListenerError(
    'CLOUDINARY_URL_INVALID',
    `The Cloudinary URL is invalid: ${parsed.problem}. The format is ${FORM}.`
  )
}

const secretInvalid = (problem: string) =>
  new ListenerError(
    'SECRET_INVALID',
    `The secret is invalid: ${problem}. Its value must be ${FORM}, CLOUDINARY_URL=${FORM}, ` +
      'or a JSON object whose values are either.'
  )

const withoutQuotes = (text: string) => text.trim().replace(/^(["'])(.*)\1$/s, '$2')

const parseValue = (text: string) =>
  parse(withoutQuotes(withoutQuotes(text).replace(/^CLOUDINARY_URL\s*=/, '')).trim())

/** Quotes a name only if it cannot be a misplaced value. */
const describeEntry = (name: string, index: number) =>
  /^[\w ./-]{1,64}$/.test(name) ? `entry "${name}"` : `entry number ${index + 1}`

function parseNamed(text: string): CloudinaryEnvironment[] {
  let named: unknown
  try {
    named = JSON.parse(text)
  } catch {
    // no cause: the message of a SyntaxError quotes the text
    throw secretInvalid('it starts like JSON but is not valid JSON')
  }
  const entries = Object.entries(named as Record<string, unknown>)
  if (entries.length === 0) throw secretInvalid('it is an empty JSON object')
  return entries.map(([name, value], index) => {
    const parsed = typeof value === 'string' ? parseValue(value) : invalid('its value is not a string')
    if (parsed.outcome === 'parsed') return parsed.environment
    throw secretInvalid(`${describeEntry(name, index)}: ${parsed.problem}`)
  })
}

/**
 * Parses the secret that holds the credentials: `cloudinary://…`, `CLOUDINARY_URL=cloudinary://…` (with or
 * without quotes), or a JSON object whose values have one of these forms.
 *
 * @returns at least one environment, in the order of the secret. JavaScript puts integer-like JSON names
 *   first.
 * @throws {ListenerError} `SECRET_INVALID`, which names the invalid JSON entry and quotes no value
 */
export function parseSecret(text: string): CloudinaryEnvironment[] {
  const trimmed = text.trim()
  if (trimmed === '') throw secretInvalid('it is empty')
  if (trimmed.startsWith('[')) throw secretInvalid('it is a JSON array')
  if (trimmed.startsWith('{')) return parseNamed(trimmed)
  const parsed = parseValue(trimmed)
  if (parsed.outcome === 'parsed') return [parsed.environment]
  throw secretInvalid(parsed.problem)
}
