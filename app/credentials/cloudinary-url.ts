import { ListenerError } from '../errors.ts'

/** One Cloudinary product environment and the key to it. */
export interface CloudinaryEnvironment {
  cloudName: string
  apiKey: string
  apiSecret: string
  /** Where its API is, without a trailing slash; undefined is Cloudinary's default. */
  uploadPrefix?: string
  /** With `sha256`, SHA-1 signatures are refused; undefined accepts both. */
  signatureAlgorithm?: 'sha1' | 'sha256'
}

/** Where the environment's API is: scheme, host and port (and the path before `/v1_1`, if any). */
export const hostOf = ({ uploadPrefix = 'https://api.cloudinary.com' }: CloudinaryEnvironment): string =>
  uploadPrefix

type Parsed =
  | { outcome: 'parsed'; environment: CloudinaryEnvironment }
  | { outcome: 'invalid'; fault: string }

const FORM = 'cloudinary://KEY:SECRET@CLOUD[?upload_prefix=…&signature_algorithm=sha256]'

const invalid = (fault: string): Parsed => ({ outcome: 'invalid', fault })

/** What Cloudinary's console shows where a key is still hidden: `<your_api_secret>`, `**********`. */
const isPlaceholder = (text: string) => /^(?:<.*>|\*+)$/.test(text)

function isUploadPrefix(text: string): boolean {
  // lower case only, so that a comparison of text tells http from https
  if (!/^https?:\/\/\S+$/.test(text) || !URL.canParse(text)) return false
  const { username, password, search, hash } = new URL(text)
  return `${username}${password}${search}${hash}` === ''
}

/**
 * Not with `URL`: it percent-encodes `=`, `|`, `@` and others in the secret (so the SDK, which uses it, holds
 * another secret than was written), and its errors quote the whole text.
 */
function parse(text: string): Parsed {
  const match = /^cloudinary:\/\/([^/?#]*)[^?#]*(?:\?([^#]*))?/i.exec(text)
  if (!match) return invalid('it does not begin with cloudinary://')
  const [, authority = '', query = ''] = match
  if (/\s/.test(authority)) return invalid('it has white space in it')

  const at = authority.lastIndexOf('@')
  if (at === -1) {
    return invalid(
      authority.includes(':')
        ? 'the cloud name is missing (the key or the secret is followed by no @)'
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
  if (isPlaceholder(apiKey)) return invalid('the API key is a placeholder; put in the real one')
  if (isPlaceholder(apiSecret)) return invalid('the API secret is a placeholder; put in the real one')
  // It becomes a part of the path of every call.
  if (!/^\w[\w.-]*$/.test(cloudName)) {
    return invalid('the cloud name may hold letters, digits, hyphens, underscores and dots only')
  }

  const environment: CloudinaryEnvironment = { cloudName, apiKey, apiSecret }
  const options = new URLSearchParams(query)
  // Of repeated parameters the SDK takes the last.
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
 * Reads a `CLOUDINARY_URL`, as Cloudinary's console shows it under API Keys. Key and secret are taken exactly
 * as written, without percent-decoding, as the SDK does. White space around it, parameters with other names,
 * and a path (the SDK's private CDN, which only matters to delivery URLs) are ignored.
 *
 * @throws {ListenerError} `CLOUDINARY_URL_INVALID`, saying which part is at fault and quoting none of it
 */
export function parseCloudinaryUrl(text: string): CloudinaryEnvironment {
  const parsed = parse(text.trim())
  if (parsed.outcome === 'parsed') return parsed.environment
  throw new ListenerError(
    'CLOUDINARY_URL_INVALID',
    `The Cloudinary URL cannot be used: ${parsed.fault}. Write it as ${FORM}.`
  )
}

const secretInvalid = (fault: string) =>
  new ListenerError(
    'SECRET_INVALID',
    `The secret cannot be used: ${fault}. Its value must be ${FORM}, the same after "CLOUDINARY_URL=", ` +
      'or a JSON object of names to either.'
  )

const withoutQuotes = (text: string) => text.trim().replace(/^(["'])(.*)\1$/s, '$2')

const parseValue = (text: string) =>
  parse(withoutQuotes(withoutQuotes(text).replace(/^CLOUDINARY_URL\s*=/, '')).trim())

/** A name that is not plainly a name may be a value in the wrong place, so it is not repeated. */
const describeEntry = (name: string, index: number) =>
  /^[\w ./-]{1,64}$/.test(name) ? `its entry "${name}"` : `its entry number ${index + 1}`

function parseNamed(text: string): CloudinaryEnvironment[] {
  let named: unknown
  try {
    named = JSON.parse(text)
  } catch {
    // No cause: the message of a SyntaxError quotes the text.
    throw secretInvalid('it begins like JSON but is not valid JSON')
  }
  const entries = Object.entries(named as Record<string, unknown>)
  if (entries.length === 0) throw secretInvalid('it is a JSON object without entries')
  return entries.map(([name, value], index) => {
    const parsed = typeof value === 'string' ? parseValue(value) : invalid('its value is not a text')
    if (parsed.outcome === 'parsed') return parsed.environment
    throw secretInvalid(`${describeEntry(name, index)} is at fault: ${parsed.fault}`)
  })
}

/**
 * Reads the value of the secret that holds the credentials: `cloudinary://…`, `CLOUDINARY_URL=cloudinary://…`
 * (with or without quotes), or a JSON object of names to either, as the blueprint this succeeds keeps it.
 *
 * @returns at least one environment, in the order written; except that JSON names that are whole numbers come
 *   first, in ascending order, as JavaScript orders them
 * @throws {ListenerError} `SECRET_INVALID`, with the name of the JSON entry at fault and no part of a value
 */
export function parseSecret(text: string): CloudinaryEnvironment[] {
  const trimmed = text.trim()
  if (trimmed === '') throw secretInvalid('it is empty')
  if (trimmed.startsWith('[')) throw secretInvalid('it is a JSON array')
  if (trimmed.startsWith('{')) return parseNamed(trimmed)
  const parsed = parseValue(trimmed)
  if (parsed.outcome === 'parsed') return [parsed.environment]
  throw secretInvalid(parsed.fault)
}
