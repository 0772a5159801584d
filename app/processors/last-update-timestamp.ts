import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { AssetEvent } from '../cloudinary/event.ts'
import type { Processor } from '../listener.ts'
import { checkOptions } from './options.ts'

const Options = z.strictObject({
  name: z.string().default('last-update-timestamp'),
  /** External id of the metadata field to write. */
  field: z.string().min(1).max(255).default('last_update_timestamp'),
  /** Of the metadata fields, only these count as a change; all of them when it is left out. */
  watch: z.array(z.string().min(1)).min(1).optional(),
  /** `iso` for a field of type string: ISO 8601, UTC, sorts as text; `epoch` for one of type integer: seconds. */
  format: z.enum(['iso', 'epoch']).default('iso')
})

/** @see lastUpdateTimestamp */
export type LastUpdateTimestampOptions = z.input<typeof Options>

/**
 * Stamps an asset that changed with the time of the change, so that another system can poll for assets changed
 * since it last looked. A change of nothing but the field itself, or of metadata that is not watched, writes
 * nothing; neither does an event older than the stamp. Costs two calls of the Upload API for a change, one to read
 * the stamp and one to write it.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function lastUpdateTimestamp(options: LastUpdateTimestampOptions = {}): Processor {
  const { name, field, watch, format } = checkOptions('lastUpdateTimestamp', Options, options)
  return {
    name,
    on: [
      'upload',
      'rename',
      'move',
      'moderation',
      'access_control_changed',
      'resource_tags_changed',
      'resource_context_changed',
      'resource_display_name_changed',
      'resource_metadata_changed',
      'restore_asset_version'
    ],
    when: (event) => event.type !== 'resource_metadata_changed' || watchedFieldChanged(event, field, watch),
    async handle({ asset, occurredAt, payload }, { cloudinary }) {
      if (asset === null) return 'skipped: the notification names no asset'
      const stamp = format === 'iso' ? occurredAt : String(Math.floor(Date.parse(occurredAt) / 1000))
      const time = timeOf(stamp)
      // What the notification says may be outdated, but the stamp only ever grows: it is a lower bound.
      const known = timeOf((asFields(payload.new_metadata) ?? asFields(payload.metadata))?.[field])
      if (known >= time || timeOf((await cloudinary.currentState(asset)).metadata?.[field]) >= time) {
        return `skipped: ${field} is not older than ${stamp}`
      }
      await cloudinary.updateMetadata(asset, { [field]: stamp })
      return `${field} = ${stamp}`
    }
  }
}

/** Whether anything but the stamp itself changed, and of that which is watched. */
function watchedFieldChanged(
  { payload, origin }: AssetEvent,
  stamp: string,
  watch: readonly string[] | undefined
): boolean {
  const before = asFields(payload.previous_metadata)
  const after = asFields(payload.new_metadata)
  // Should Cloudinary name neither the change nor its author, it may be our own write: stamping it would loop.
  if (before === undefined || after === undefined) return origin.id !== null
  const changed = (name: string) => !isDeepStrictEqual(before[name] ?? null, after[name] ?? null)
  // Only a listener writes the stamp. Should Cloudinary name in `new_metadata` nothing but what was written, the
  // other fields would look removed, and our own write would lead to the next: so beside a new stamp, removals
  // do not count.
  const names = new Set([...Object.keys(after), ...(changed(stamp) ? [] : Object.keys(before))])
  names.delete(stamp)
  return [...names].some((name) => changed(name) && (watch === undefined || watch.includes(name)))
}

/** Milliseconds; minus infinity for a field that is not set or holds no time. */
function timeOf(value: unknown): number {
  if (typeof value !== 'string' && typeof value !== 'number') return Number.NEGATIVE_INFINITY
  const seconds = value === '' ? Number.NaN : Number(value)
  const milliseconds = Number.isNaN(seconds) ? Date.parse(String(value)) : seconds * 1000
  return Number.isNaN(milliseconds) ? Number.NEGATIVE_INFINITY : milliseconds
}

function asFields(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}
