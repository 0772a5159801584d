import { createHash, timingSafeEqual } from 'node:crypto'
import { ApiError } from './api-error.ts'
import { plainUtc } from './times.ts'
import type { Values } from './values.ts'

export type SignatureAlgorithm = 'sha1' | 'sha256'

const UNSIGNED = new Set(['file', 'cloud_name', 'resource_type', 'api_key', 'signature'])
const STALE_AFTER_SECONDS = 3600

/**
 * Returns the text that a caller of the Upload API signs, without the appended secret: the parameters sorted
 * by name and joined by `&`. Version 2, which SDKs use since 2025, escapes `&` within a parameter; version 1
 * does not, and is still accepted.
 *
 * Source: https://cloudinary.com/documentation/signatures and `api_string_to_sign` of the Node SDK.
 */
export function stringToSign(values: Values, version: 1 | 2): string {
  return Object.entries(values)
    .map(([name, value]): [string, string] => [name, Array.isArray(value) ? value.join(',') : value])
    .filter(([name, value]) => !UNSIGNED.has(name) && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .map((parameter) => (version === 2 ? parameter.replaceAll('&', '%26') : parameter))
    .join('&')
}

/** Signs parameters; returns the signature in hexadecimal. */
export function sign(values: Values, secret: string, algorithm: SignatureAlgorithm, version: 1 | 2): string {
  return createHash(algorithm).update(stringToSign(values, version)).update(secret).digest('hex')
}

export interface SignatureCheck {
  /** Returns the secret of an API key; undefined for an unknown key. */
  secretOf: (apiKey: string) => string | undefined
  algorithm: SignatureAlgorithm
  /** Unix time, milliseconds. */
  now: number
}

/**
 * Verifies a call of the Upload API, with Cloudinary's order of checks and its messages.
 *
 * @returns the calling API key
 * @throws {ApiError} 401 for an unknown key or a wrong signature, 400 for a missing or stale parameter
 */
export function verifySignature(values: Values, { secretOf, algorithm, now }: SignatureCheck): string {
  const { api_key: apiKey, signature, timestamp } = values
  if (typeof apiKey !== 'string') throw new ApiError(400, 'Must supply api_key')
  if (typeof signature !== 'string') {
    throw new ApiError(400, 'Upload preset must be specified when using unsigned upload')
  }
  if (typeof timestamp !== 'string') throw new ApiError(400, 'Missing required parameter - timestamp')
  const secret = secretOf(apiKey)
  if (secret === undefined) throw new ApiError(401, `Unknown API key ${apiKey}`)
  const given = Buffer.from(signature)
  const matches = ([1, 2] as const).some((version) => {
    const expected = Buffer.from(sign(values, secret, algorithm, version))
    return expected.length === given.length && timingSafeEqual(expected, given)
  })
  if (!matches) {
    const toSign = stringToSign(values, 2)
    throw new ApiError(401, `Invalid Signature ${signature}. String to sign - '${toSign}'.`)
  }
  if (now / 1000 - Number(timestamp) > STALE_AFTER_SECONDS) {
    const reported = plainUtc(Number(timestamp) * 1000).replace('UTC', '+0000')
    throw new ApiError(400, `Stale request - reported time is ${reported} which is more than 1 hour ago`)
  }
  return apiKey
}
