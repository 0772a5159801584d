import { gunzipSync, gzipSync } from 'node:zlib'
import { ListenerError } from '../errors.ts'
import type { AssetEvent } from '../ingest/event.ts'

/**
 * Maximum size that SQS accepts for a message, and for a batch, in bytes of UTF-8.
 * Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
 */
export const MAX_MESSAGE_BYTES = 1024 * 1024

/** Maximum size of a body, in bytes. The attributes of a dead letter count towards the limit of SQS too. */
const MAX_BODY_BYTES = MAX_MESSAGE_BYTES - 4096

/** Maximum size of an uncompressed body, in bytes. */
const COMPRESS_ABOVE_BYTES = 256 * 1024

/** Maximum size of a decompressed body, in bytes. */
const MAX_INFLATED_BYTES = 128 * 1024 * 1024

const COMPRESSED = 'gzip:'

/**
 * Encodes an event as the body of a message.
 *
 * @throws {ListenerError} EVENT_TOO_LARGE if SQS would reject it even compressed, or if it could not be
 *   decoded again
 */
export function encodeMessage(event: AssetEvent): string {
  // SQS rejects U+FFFE and U+FFFF, and fauxqs everything above; JSON.stringify escapes the rest
  const json = JSON.stringify(event).replace(
    /[\uD800-\uDFFF\uFFFE\uFFFF]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16)}`
  )
  const bytes = Buffer.byteLength(json)
  if (bytes <= COMPRESS_ABOVE_BYTES) return json
  if (bytes > MAX_INFLATED_BYTES) {
    throw new ListenerError(
      'EVENT_TOO_LARGE',
      `event ${event.id} is ${bytes} bytes; the maximum is ${MAX_INFLATED_BYTES}`
    )
  }
  const compressed = COMPRESSED + gzipSync(json).toString('base64')
  if (compressed.length > MAX_BODY_BYTES) {
    throw new ListenerError(
      'EVENT_TOO_LARGE',
      `event ${event.id} is ${compressed.length} bytes compressed; the maximum is ${MAX_BODY_BYTES}`
    )
  }
  return compressed
}

/**
 * Decodes the body of a message.
 *
 * @throws {ListenerError} MESSAGE_UNREADABLE if it was not written by this listener
 */
export function decodeMessage(body: string): AssetEvent {
  try {
    const json = body.startsWith(COMPRESSED)
      ? gunzipSync(Buffer.from(body.slice(COMPRESSED.length), 'base64'), {
          maxOutputLength: MAX_INFLATED_BYTES
        }).toString()
      : body
    const event: unknown = JSON.parse(json)
    if (isEvent(event)) return event
  } catch {
    // without the parser's error, whose message quotes the payload
  }
  throw new ListenerError('MESSAGE_UNREADABLE', 'the message was not written by this listener')
}

function isEvent(value: unknown): value is AssetEvent {
  const event = value as Partial<AssetEvent> | null
  return (
    typeof event?.id === 'string' &&
    typeof event.type === 'string' &&
    typeof event.environment === 'string' &&
    typeof event.group === 'string' &&
    typeof event.occurredAt === 'string' &&
    typeof event.receivedAt === 'string' &&
    isObject(event.origin) &&
    isObject(event.payload)
  )
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null
