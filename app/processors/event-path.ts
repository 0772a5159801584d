import { z } from 'zod'
import type { AssetEvent } from '../ingest/event.ts'

/** What paths may name of the event itself, beside its payload. */
const OF_EVENT = [
  'event.id',
  'event.type',
  'event.notificationType',
  'event.environment',
  'event.asset.assetId',
  'event.asset.publicId',
  'event.asset.resourceType',
  'event.asset.deliveryType',
  'event.asset.version',
  'event.occurredAt',
  'event.receivedAt',
  'event.origin.source',
  'event.origin.id',
  'event.origin.own'
]

/**
 * Names with dots between, that lead into a notification: `public_id`, `context.custom.alt`, `metadata.sku`; or,
 * with `event` as the first name, to what this listener knows of it: `event.environment`. Which fields a payload has is
 * Cloudinary's to say, so only those of the event can be checked.
 */
export const PATH = z
  .string()
  .regex(/^[^.{}\s]+(?:\.[^.{}\s]+)*$/, 'a path is names with dots between, such as metadata.sku')
  .refine((path) => !/^event(?:\.|$)/.test(path) || OF_EVENT.includes(path), {
    error: `of the event there are ${OF_EVENT.join(', ')}`
  })

/** What a path leads to; undefined where the payload has no such field. */
export function valueAt(event: AssetEvent, path: string): unknown {
  let value: unknown = path.startsWith('event.') ? { event } : event.payload
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
