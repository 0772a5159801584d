import { gunzipSync, gzipSync } from 'node:zlib'
import { ListenerError } from '../errors.ts'
import type { AssetEvent } from '../ingest/event.ts'

/** What SQS takes in one message, and in one batch of them, in bytes of UTF-8.
 * Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
export const MAXIMUM_MESSAGE_BYTES = 1024 * 1024

/** What a message may hold: room is left for the reason, in attributes that count, should it become a dead letter. */
const MAXIMUM_BODY_BYTES = MAXIMUM_MESSAGE_BYTES - 4096

/** Above this a message is compressed. */
const COMPRESS_ABOVE_BYTES = 256 * 1024

/** What a compressed message may grow to, in bytes. */
const MAXIMUM_INFLATED_BYTES = 128 * 1024 * 1024

const COMPRESSED = 'gzip:'

/**
 * Writes an event as the body of a message.
 *
 * @throws {ListenerError} EVENT_TOO_LARGE when even compressed it is more than SQS takes, or when it could not be
 *   read again
 */
export function encodeMessage(event: AssetEvent): string {
  // SQS refuses U+FFFE and U+FFFF, and fauxqs all beyond them; what else SQS refuses, JSON.stringify has escaped.
  const json = JSON.stringify(event).replace(
    /[\uD800-\uDFFF\uFFFE\uFFFF]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16)}`
  )
  const bytes = Buffer.byteLength(json)
  if (bytes <= COMPRESS_ABOVE_BYTES) return json
  if (bytes > MAXIMUM_INFLATED_BYTES) {
    throw new ListenerError(
      'EVENT_TOO_LARGE',
      `event ${event.id} is ${bytes} bytes; the worker reads at most ${MAXIMUM_INFLATED_BYTES}`
    )
  }
  const compressed = COMPRESSED + gzipSync(json).toString('base64')
  if (compressed.length > MAXIMUM_BODY_BYTES) {
    throw new ListenerError(
      'EVENT_TOO_LARGE',
      `event ${event.id} is ${compressed.length} bytes compressed; a message may hold ${MAXIMUM_BODY_BYTES}`
    )
  }
  return compressed
}

/**
 * Reads the body of a message.
 *
 * @throws {ListenerError} MESSAGE_UNREADABLE when this listener did not write it
 */
export function decodeMessage(body: string): AssetEvent {
  try {
    const json = body.startsWith(COMPRESSED)
      ? gunzipSync(Buffer.from(body.slice(COMPRESSED.length), 'base64'), {
          maxOutputLength: MAXIMUM_INFLATED_BYTES
        }).toString()
      : body
    const event: unknown = JSON.parse(json)
    if (isEvent(event)) return event
  } catch {
    // said below: the parsers' own messages quote the payload
  }
  throw new ListenerError('MESSAGE_UNREADABLE', 'a message in the queue was not written by this listener')
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
