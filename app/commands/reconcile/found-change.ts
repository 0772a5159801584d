import type { FoundAsset } from '../../cloudinary/search.ts'
import type { AssetEvent } from '../../ingest/event.ts'
import { changeEvent, type FindingContext, uploadEvent } from './found-events.ts'
import type { Side } from './tracked-changes.ts'

/** The last change of one side of an asset, as a search found it. */
export interface Change {
  side: Side
  asset: FoundAsset
  /** Milliseconds since the epoch. */
  changedAt: number
}

/** Others, such as those of `fetch`, are no uploads. */
const UPLOADED_TYPES = ['upload', 'private', 'authenticated']

/** The Search API writes seconds, and its clock is not ours. In milliseconds. */
export const TOLERANCE_MS = 2000

/** Undefined where the side never changed, or the change is part of an upload. */
export function changeOf(side: Side, asset: FoundAsset): Change | undefined {
  const changedAt = timeOf(side.changedAt(asset))
  if (changedAt === undefined) return undefined
  const isChange =
    side.type === 'upload'
      ? UPLOADED_TYPES.includes(asset.type)
      : changedAt > (timeOf(asset.uploaded_at) ?? Number.NEGATIVE_INFINITY) + TOLERANCE_MS
  return isChange ? { side, asset, changedAt } : undefined
}

/**
 * The event of a change; undefined for an upload where the search does not say which one it was.
 *
 * @param byListener the listener itself is taken to have made the change; of an upload the search says who did
 */
export function eventOf(
  { side, asset }: Change,
  byListener: boolean,
  context: FindingContext
): AssetEvent | undefined {
  return side.type === 'upload'
    ? uploadEvent(side, asset, context)
    : changeEvent(side, asset, byListener, context)
}

const timeOf = (written: string | undefined) => (written === undefined ? undefined : Date.parse(written))
