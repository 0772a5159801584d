import { createHash } from 'node:crypto'

export interface SigningKey {
  apiSecret: string
  algorithm?: 'sha1' | 'sha256'
}

/**
 * Returns the signature headers of a notification: the hexadecimal digest of body + timestamp + API secret,
 * and the timestamp (Unix time, seconds).
 * Source: https://cloudinary.com/documentation/notification_signatures
 */
export function signatureHeaders(
  body: Uint8Array | string,
  key: SigningKey,
  timestamp: number | string
): { 'x-cld-timestamp': string; 'x-cld-signature': string } {
  const digest = createHash(key.algorithm ?? 'sha1')
  digest.update(body).update(String(timestamp)).update(key.apiSecret)
  return { 'x-cld-timestamp': String(timestamp), 'x-cld-signature': digest.digest('hex') }
}
