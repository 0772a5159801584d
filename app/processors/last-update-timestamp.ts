import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { stampTime } from '../changes/stamp-time.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { Processor } from '../processor.ts'
import { ASSET_CHANGES } from './asset-changes.ts'
import { byCurrentName, checkIdentity } from './current-name.ts'
import { checkOptions } from './processor-options.ts'
import { foreignStamps, LoopGuard } from './stamp-loop.ts'

const Options = z.strictObject({
  name: z.string().default('last-update-timestamp'),
  /** External id of the metadata field to write. */
  field: z.string().min(1).max(255).default('last_update_timestamp'),
  /** Of the metadata fields, only these count as a change; all of them when it is left out. */
  watch: z.array(z.string().min(1)).min(1).optional(),
  /** `iso` for a field of type string: ISO 8601, UTC, sorts as text; `epoch` for one of type integer: seconds. */
  format: z.enum(['iso', 'epoch']).default('iso'),
  /** External id of a metadata field that says an asset is to be stamped, such as its id in the CMS. */
  requireMetadata: z.string().min(1).max(255).optional(),
  /** Metadata fields whose change never counts, such as the stamps of other listeners. */
  ignore: z.array(z.string().min(1).max(255)).default([])
})

/** @see lastUpdateTimestamp */
export type LastUpdateTimestampOptions = z.input<typeof Options>

/** The fields of all stamps that were configured: were one a change for another, they would stamp each other for ever. */
const STAMPS = new Set<string>()

/**
 * Stamps an asset that changed with the time of the change, so that another system can poll for assets changed
 * since it last looked. A change of nothing but such stamps, or of metadata that is not watched, writes
 * nothing; neither does an event older than the stamp, nor a change of an asset that lacks the metadata that is required.
 * A loop with another listener, whose stamps are not ignored, is ended (see `LoopGuard`). Costs two calls of the Upload
 * API for a change, one to read the stamp and one to write it.
 *
 * @throws {ListenerError} LISTENER_CONFIG_INVALID
 */
export function lastUpdateTimestamp(
  options: LastUpdateTimestampOptions = {},
  clock: () => number = Date.now
): Processor {
  const { name, field, watch, format, requireMetadata, ignore } = checkOptions(
    'lastUpdateTimestamp',
    Options.refine(
      (given) => given.requireMetadata !== given.field,
      'requireMetadata must be another field than the stamp, or nothing would ever be stamped'
    ).refine(
      ({ watch: watched = [], requireMetadata: required, ignore: ignored = [] }) =>
        !ignored.some((name) => name === required || watched.includes(name)),
      'a field of ignore cannot be watched or required as well'
    ),
    options
  )
  STAMPS.add(field)
  // an asset counts from the moment that it gets what is required, whatever else is watched
  const watched = watch && requireMetadata ? [...watch, requireMetadata] : watch
  const isStamp = (name: string) => STAMPS.has(name) || ignore.includes(name)
  return {
    name,
    on: ASSET_CHANGES,
    when: (event) =>
      event.type !== 'resource_metadata_changed' || watchedFieldChanged(event, isStamp, watched),
    metadataFields: [
      { external_id: field, label: 'Last update', type: format === 'iso' ? 'string' : 'integer' }
    ],
    async handle(event, { cloudinary, state, log }) {
      const { asset, occurredAt, payload } = event
      if (asset === null) return 'skipped: the notification names no asset'
      const stamp = format === 'iso' ? occurredAt : String(Math.floor(Date.parse(occurredAt) / 1000))
      const time = stampTime(stamp)
      const found = foundMetadata(event, field, isStamp)
      const left = found && (await state.get<typeof found.now>(found.key))
      if (found && isDeepStrictEqual(left, found.now)) {
        return `skipped: it is as it was when ${field} was written`
      }
      // What the notification says may be outdated, but the stamp only ever grows: it is a lower bound.
      const known = stampTime((asFields(payload.new_metadata) ?? asFields(payload.metadata))?.[field])
      const isOlder = `skipped: ${field} is not older than ${stamp}`
      if (known >= time) return isOlder
      const before = asFields(payload.previous_metadata) ?? left?.metadata
      const after = asFields(payload.new_metadata)
      const stamps = before && after && foreignStamps(event, before, after, isStamp)
      const guard = stamps && new LoopGuard(event, stamps, { state, log }, clock)
      if (guard && (await guard.stops())) {
        return `skipped: ${guard.fields} answers ${field}, as the stamp of another listener does`
      }
      return byCurrentName(cloudinary, asset, async (named) => {
        const current = await cloudinary.currentState(named)
        checkIdentity(named, current)
        const { metadata = {} } = current
        if (requireMetadata && !isSet(metadata[requireMetadata])) {
          return `skipped: ${requireMetadata} is not set`
        }
        if (stampTime(metadata[field]) >= time) return isOlder
        const write = () => cloudinary.updateMetadata(named, { [field]: stamp })
        await (guard ? guard.around(write) : write())
        if (found) await state.set(found.key, { ...found.now, time })
        return `${field} = ${stamp}`
      })
    }
  }
}

/** Whether anything but stamps changed, and of that which is watched. */
function watchedFieldChanged(
  { payload, origin, reconciled }: AssetEvent,
  isStamp: (name: string) => boolean,
  watch: readonly string[] | undefined
): boolean {
  const before = asFields(payload.previous_metadata)
  const after = asFields(payload.new_metadata)
  // Should Cloudinary name neither the change nor its author, it may be our own write: stamping it would loop.
  if (before === undefined || after === undefined) return origin.id !== null || reconciled === true
  const changed = (name: string) => !isDeepStrictEqual(before[name] ?? null, after[name] ?? null)
  // Only a listener writes the stamp. Should Cloudinary name in `new_metadata` nothing but what was written, the
  // other fields would look removed, and our own write would lead to the next: so beside a new stamp, removals
  // do not count.
  const all = [...new Set([...Object.keys(after), ...Object.keys(before)])].filter(changed)
  const names = all.some(isStamp) ? all.filter((name) => name in after) : all
  return names.some((name) => !isStamp(name) && (watch === undefined || watch.includes(name)))
}

/**
 * A change of metadata that a search found tells neither what changed nor who did it; it may be our own stamp, and each
 * stamp would be found in its turn. So it is remembered how the metadata was left when such a change was stamped: what
 * is found so again, was changed by the stamp.
 */
function foundMetadata(
  { type, reconciled, environment, asset, payload }: AssetEvent,
  field: string,
  isStamp: (name: string) => boolean
) {
  if (type !== 'resource_metadata_changed' || !reconciled) return undefined
  const { [field]: stamp, ...others } = asFields(payload.new_metadata) ?? {}
  const metadata = Object.fromEntries(Object.entries(others).filter(([name]) => !isStamp(name)))
  return { key: `found/${environment}/${asset?.assetId}`, now: { metadata, time: stampTime(stamp) } }
}

function isSet(value: unknown): boolean {
  return (
    value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
  )
}

function asFields(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}
