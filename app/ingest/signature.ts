import { createHash, hash, timingSafeEqual } from 'node:crypto'

/** Maximum time that a notification may be ahead of this machine's clock, in seconds. */
export const MAX_AHEAD_SECONDS = 300

export interface SignatureHeaders {
  signature: string | undefined
  timestamp: string | undefined
  /** `X-Cld-Signature_v2`. Not accepted as a signature, since its algorithm is unpublished. */
  signatureV2?: string | undefined
}

export type HeaderOutcome =
  | { outcome: 'well-formed'; algorithm: 'sha1' | 'sha256'; digest: Buffer; timestamp: string }
  | {
      outcome: 'refused'
      code: 'SIGNATURE_MISSING' | 'SIGNATURE_INVALID' | 'SIGNATURE_EXPIRED'
      reason: string
    }

export type SignatureOutcome<Key> =
  | { outcome: 'verified'; key: Key }
  | { outcome: 'refused'; code: 'SIGNATURE_INVALID'; reason: string }

/** A secret that can verify signatures. */
export interface VerificationKey {
  apiSecret: string
  /** `sha256` refuses SHA-1 signatures. (Default: both algorithms are accepted) */
  signatureAlgorithm?: 'sha1' | 'sha256'
}

const refused = <Code extends string>(code: Code, reason: string) => ({
  outcome: 'refused' as const,
  code,
  reason
})

/**
 * Checks what can be checked before the body is read: presence and form of signature and timestamp, and the
 * timestamp's age.
 *
 * The digest covers body + timestamp + secret without separators, so moving characters between them would not
 * change it. Therefore the timestamp must have exactly ten digits and may not be in the future.
 *
 * @param clock milliseconds since the epoch
 */
export function checkHeaders(
  headers: SignatureHeaders,
  options: { toleranceSeconds: number; clock: () => number }
): HeaderOutcome {
  const { signature, timestamp, signatureV2 } = headers
  if (!signature) {
    return refused(
      'SIGNATURE_MISSING',
      signatureV2
        ? 'only X-Cld-Signature_v2 is present, whose algorithm Cloudinary has not published; ' +
            'set the auth_scheme of the trigger to "default" or "legacy_hmac"'
        : 'the X-Cld-Signature header is missing'
    )
  }
  if (!timestamp || !/^\d{10}$/.test(timestamp)) {
    return refused('SIGNATURE_MISSING', 'the X-Cld-Timestamp header is missing or is not ten digits')
  }
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(signature)) {
    return refused('SIGNATURE_INVALID', 'the X-Cld-Signature header is not 40 or 64 hexadecimal digits')
  }
  const ageSeconds = options.clock() / 1000 - Number(timestamp)
  if (ageSeconds > options.toleranceSeconds) {
    return refused('SIGNATURE_EXPIRED', `the timestamp is ${Math.floor(ageSeconds)} s old`)
  }
  if (-ageSeconds > Math.min(MAX_AHEAD_SECONDS, options.toleranceSeconds)) {
    return refused('SIGNATURE_EXPIRED', `the timestamp is ${Math.floor(-ageSeconds)} s ahead of this clock`)
  }
  return {
    outcome: 'well-formed',
    algorithm: signature.length === 40 ? 'sha1' : 'sha256',
    digest: Buffer.from(signature, 'hex'),
    timestamp
  }
}

/** Maximum size of a body that is hashed again for each key, in bytes. */
const SMALL_BYTES = 16 * 1024

/**
 * Returns a function that hashes body, timestamp and a secret. A large body is hashed once for all keys; but the
 * objects for that keep 1 KB each outside the heap, which V8 does not see, until a full collection.
 */
function digestsOf(algorithm: 'sha1' | 'sha256', body: Uint8Array, timestamp: string) {
  if (body.length <= SMALL_BYTES)
    return (secret: string) =>
      hash(algorithm, Buffer.concat([body, Buffer.from(timestamp + secret)]), 'buffer')
  const signed = createHash(algorithm).update(body).update(timestamp)
  return (secret: string) => signed.copy().update(secret).digest()
}

/**
 * Compares the signature over the exact bytes received with each key's, in constant time:
 * `X-Cld-Signature` = hex(SHA(body + timestamp + API secret)), a plain digest.
 * Source: https://cloudinary.com/documentation/notification_signatures
 */
export function verifySignature<Key extends VerificationKey>(
  body: Uint8Array,
  headers: Extract<HeaderOutcome, { outcome: 'well-formed' }>,
  keys: Iterable<Key>
): SignatureOutcome<Key> {
  const { algorithm, digest, timestamp } = headers
  const digestWith = digestsOf(algorithm, body, timestamp)
  let isTooWeak = false
  for (const key of keys) {
    if (key.signatureAlgorithm === 'sha256' && algorithm === 'sha1') {
      isTooWeak = true
      continue
    }
    if (timingSafeEqual(digestWith(key.apiSecret), digest)) {
      return { outcome: 'verified', key }
    }
  }
  return refused(
    'SIGNATURE_INVALID',
    isTooWeak
      ? 'no secret verifies the signature: it is SHA-1, but signature_algorithm=sha256 is configured'
      : 'no secret verifies the signature'
  )
}
