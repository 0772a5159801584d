import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { stampTime } from '../changes/stamp-time.ts'
import type { AssetEvent } from '../ingest/event.ts'
import type { Processor } from '../processor.ts'
import { ASSET_CHANGES } from './asset-changes.ts'
import { byCurrentName, checkIdentity } from './current-name.ts'
import { asFields } from './fields.ts'
import { checkOptions } from './processor-options.ts'
import { foreignStamps, LoopGuard } from './stamp-loop.ts'

const Options = z.strictObject({
  name: z.string().default('last-update-timestamp'),
  /** External id of the metadata field to write. */
  field: z.string().min(1).max(255).default('last_update_timestamp'),
  /** Metadata fields whose changes count. (Default: all) */
  watch: z.array(z.string().min(1)).min(1).optional(),
  /**
   * `iso` for a field of type string: ISO 8601, UTC, sorts as text; `epoch` for one of type integer: seconds.
   */
  format: z.enum(['iso', 'epoch']).default('iso'),
  /** External id of a metadata field, such as the CMS id. Assets without a value in it are not stamped. */
  requireMetadata: z.string().min(1).max(255).optional(),
  /** Metadata fields whose changes never count, such as the stamps of other listeners. */
  ignore: z.array(z.string().min(1).max(255)).default([])
})

/** @see lastUpdateTimestamp */
export type LastUpdateTimestampOptions = z.input<typeof Options>

/** The stamp fields of all instances in this process: one stamp must not trigger another. */
const STAMPS = new Set<string>()

/**
 * Writes the time of a change into a metadata field of the asset, so that another system can poll for
 * changes. Skips changes that only set stamps, changes of metadata that is not watched, events older than the
 * stamp, and assets without the required metadata. `LoopGuard` stops loops with other listeners. Costs two
 * calls of the Upload API per change: one to read the stamp and one to write it.
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
      'requireMetadata and field must differ, or no asset would ever be stamped'
    ).refine(
      ({ watch: watched = [], requireMetadata: required, ignore: ignored = [] }) =>
        !ignored.some((name) => name === required || watched.includes(name)),
      'a field in ignore must not be in watch or requireMetadata'
    ),
    options
  )
  STAMPS.add(field)
  // an asset is stamped when it gets the required metadata, even if that is not watched
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
      const stamped = found && (await state.get<typeof found.now>(found.key))
      if (found && isDeepStrictEqual(stamped, found.now)) {
        return `skipped: no change since ${field} was written`
      }
      // the notification may be outdated, but the stamp only grows, so this is a lower bound
      const known = stampTime((asFields(payload.new_metadata) ?? asFields(payload.metadata))?.[field])
      const isOlder = `skipped: ${field} is not older than ${stamp}`
      if (known >= time) return isOlder
      const before = asFields(payload.previous_metadata) ?? stamped?.metadata
      const after = asFields(payload.new_metadata)
      const stamps = before && after && foreignStamps(event, before, after, isStamp)
      const guard = stamps && new LoopGuard(event, stamps, { state, log }, clock)
      if (guard && (await guard.stops())) {
        return `skipped: stamp loop between ${field} and ${guard.fields} of another listener`
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

/** Returns whether a watched field other than a stamp changed. */
function watchedFieldChanged(
  { payload, origin, reconciled }: AssetEvent,
  isStamp: (name: string) => boolean,
  watch: readonly string[] | undefined
): boolean {
  const before = asFields(payload.previous_metadata)
  const after = asFields(payload.new_metadata)
  // without change and author it may be our own write, and stamping it would loop
  if (before === undefined || after === undefined) return origin.id !== null || reconciled === true
  const changed = (name: string) => !isDeepStrictEqual(before[name] ?? null, after[name] ?? null)
  // `new_metadata` may contain only the fields that were written. So beside a new stamp, missing fields do not
  // count as removed: our own write would trigger the next one
  const all = [...new Set([...Object.keys(after), ...Object.keys(before)])].filter(changed)
  const names = all.some(isStamp) ? all.filter((name) => name in after) : all
  return names.some((name) => !isStamp(name) && (watch === undefined || watch.includes(name)))
}

/**
 * Returns the metadata of a change that `reconcile` found, and the key it is saved under when the change is
 * stamped. A search says neither what changed nor who changed it, so it also finds our own stamp: if nothing
 * else differs from the saved metadata, only the stamp changed.
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
