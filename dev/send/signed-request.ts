import { COLLEAGUE } from '../../app/testing/defaults.ts'
import { type Body, DEFAULT_PUBLIC_ID } from '../../app/testing/samples/sample-asset.ts'
import { sampleNotification } from '../../app/testing/samples.ts'
import { signatureHeaders } from '../../app/testing/sign.ts'
import { type SendOptions, signingOffset } from './send-options.ts'

/** A signed notification. */
export interface NotificationRequest {
  body: Buffer<ArrayBuffer>
  headers: Record<string, string>
  /** The notification before it was serialized; null for a file that is not a JSON object. */
  notification: Body | null
}

/**
 * Builds the notification with this index out of `options.count`, signed at `now`.
 *
 * @param file the bytes to send instead of a sample
 * @throws {ListenerError} when the sample does not exist
 */
export function makeRequest(
  options: SendOptions,
  index: number,
  now: Date,
  file?: Buffer<ArrayBuffer>
): NotificationRequest {
  const notification = file === undefined ? sample(options, index, now) : jsonObject(file)
  const signed = file ?? Buffer.from(JSON.stringify(notification))
  const timestamp = Math.floor(now.getTime() / 1000) + signingOffset(options.defect)
  const headers = { 'content-type': 'application/json' }
  const { credentials, defect } = options
  return {
    body: defect === 'tampered' ? withOneByteChanged(signed) : signed,
    headers:
      defect === 'unsigned' ? headers : { ...headers, ...signatureHeaders(signed, credentials, timestamp) },
    notification
  }
}

function sample(options: SendOptions, index: number, now: Date): Body {
  const { type, variant, credentials, count, own } = options
  const base = options.publicId ?? DEFAULT_PUBLIC_ID
  return sampleNotification(type, {
    variant,
    publicId: count === 1 ? base : `${base}-${index + 1}`,
    resourceType: options.resourceType,
    cloudName: credentials.cloudName,
    apiKey: own ? credentials.apiKey : COLLEAGUE.apiKey,
    signatureKey: credentials.apiKey,
    source: options.source,
    count: options.resources,
    now
  })
}

function jsonObject(bytes: Buffer): Body | null {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' ? (value as Body | null) : null
  } catch {
    return null
  }
}

function withOneByteChanged(bytes: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  // an empty body has no byte to change
  if (bytes.length === 0) return Buffer.from(' ')
  const changed = Buffer.from(bytes)
  const middle = changed.length >> 1
  changed.writeUInt8(changed.readUInt8(middle) ^ 1, middle)
  return changed
}
