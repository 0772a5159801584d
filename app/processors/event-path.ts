import { z } from 'zod'
import type { AssetEvent } from '../ingest/event.ts'

/** Paths to properties of the event itself, beside those into its payload. */
const EVENT_PATHS = [
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
 * A path into the payload, such as `public_id`, `context.custom.alt` or `metadata.sku`, or to a property of
 * the event, such as `event.environment`. Payloads vary, so only paths that begin with `event` are checked.
 */
export const PATH = z
  .string()
  .regex(/^[^.{}\s]+(?:\.[^.{}\s]+)*$/, 'a path is names separated by dots, such as metadata.sku')
  .refine((path) => !/^event(?:\.|$)/.test(path) || EVENT_PATHS.includes(path), {
    error: `an event path is one of ${EVENT_PATHS.join(', ')}`
  })

/** Returns the value at a path; undefined if the payload does not have the field. */
export function valueAt(event: AssetEvent, path: string): unknown {
  let value: unknown = path.startsWith('event.') ? { event } : event.payload
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
