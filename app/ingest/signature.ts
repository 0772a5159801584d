import { createHash, timingSafeEqual } from 'node:crypto'

/** How far ahead of this machine's clock a notification's timestamp may be, in seconds. */
const MAXIMUM_AHEAD_SECONDS = 300

export interface SignatureHeaders {
  signature: string | undefined
  timestamp: string | undefined
  /** `X-Cld-Signature_v2`: its algorithm is unpublished, so it is never enough. */
  signatureV2?: string | undefined
}

export type HeaderVerdict =
  | { outcome: 'well-formed'; algorithm: 'sha1' | 'sha256'; digest: Buffer; timestamp: string }
  | {
      outcome: 'refused'
      code: 'SIGNATURE_MISSING' | 'SIGNATURE_INVALID' | 'SIGNATURE_EXPIRED'
      reason: string
    }

export type SignatureVerdict<Key> =
  | { outcome: 'verified'; key: Key }
  | { outcome: 'refused'; code: 'SIGNATURE_INVALID'; reason: string }

/** What a secret must say of itself to verify with it. */
export interface VerificationKey {
  apiSecret: string
  /** With `sha256` a SHA-1 signature is refused; otherwise both are accepted. */
  signatureAlgorithm?: 'sha1' | 'sha256'
}

const refused = <Code extends string>(code: Code, reason: string) => ({
  outcome: 'refused' as const,
  code,
  reason
})

/**
 * Checks all that can be checked before the body is read: that a signature and a timestamp are there, their
 * form, and the timestamp's age.
 *
 * The digest is over body + timestamp + secret with nothing between them, so characters can be moved across
 * the border without changing it: hence exactly ten digits, and nothing from the future.
 *
 * @param clock milliseconds since the epoch
 */
export function checkHeaders(
  headers: SignatureHeaders,
  options: { toleranceSeconds: number; clock: () => number }
): HeaderVerdict {
  const { signature, timestamp, signatureV2 } = headers
  if (!signature) {
    return refused(
      'SIGNATURE_MISSING',
      signatureV2
        ? 'only X-Cld-Signature_v2 is present, whose algorithm Cloudinary has not published; give the trigger the auth_scheme "default" or "legacy_hmac"'
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
  if (-ageSeconds > Math.min(MAXIMUM_AHEAD_SECONDS, options.toleranceSeconds)) {
    return refused('SIGNATURE_EXPIRED', `the timestamp is ${Math.floor(-ageSeconds)} s ahead of this clock`)
  }
  return {
    outcome: 'well-formed',
    algorithm: signature.length === 40 ? 'sha1' : 'sha256',
    digest: Buffer.from(signature, 'hex'),
    timestamp
  }
}

/**
 * Checks a signature over the exact bytes received against every key, in constant time:
 * `X-Cld-Signature` = hex(SHA(body + timestamp + API secret)), a plain digest.
 * Source: https://cloudinary.com/documentation/notification_signatures
 */
export function verifySignature<Key extends VerificationKey>(
  body: Uint8Array,
  headers: Extract<HeaderVerdict, { outcome: 'well-formed' }>,
  keys: Iterable<Key>
): SignatureVerdict<Key> {
  const { algorithm, digest, timestamp } = headers
  // The body is hashed once, whatever the number of keys: a body may be 10 MiB.
  const signed = createHash(algorithm).update(body).update(timestamp)
  let weaker = false
  for (const key of keys) {
    if (key.signatureAlgorithm === 'sha256' && algorithm === 'sha1') {
      weaker = true
      continue
    }
    if (timingSafeEqual(signed.copy().update(key.apiSecret).digest(), digest)) {
      return { outcome: 'verified', key }
    }
  }
  return refused(
    'SIGNATURE_INVALID',
    weaker
      ? 'no configured secret verifies the signature; it is SHA-1 and signature_algorithm=sha256 is configured'
      : 'no configured secret verifies the signature'
  )
}
