import type { AssetEvent } from '../../cloudinary/event.ts'
import type { FoundAsset } from '../../cloudinary/search.ts'
import type { AssetHistory } from '../../journal/asset-history.ts'
import { changeEvent, type FindingContext, idsOf, uploadEvent } from './events.ts'
import type { Side } from './sides.ts'

export interface MissingOptions extends FindingContext {
  history: Pick<AssetHistory, 'load' | 'of'>
  /** Which of these events the journal knows. */
  knownEvents: (ids: readonly string[]) => Promise<ReadonlySet<string>>
}

/** Others, such as those of `fetch`, are no uploads. */
const UPLOADED_TYPES = ['upload', 'private', 'authenticated']

/** The Search API writes seconds, and its clock is not ours. In milliseconds. */
const TOLERANCE_MS = 2000

const HOUR_MS = 3_600_000

const DAY_MS = 24 * HOUR_MS

/** What was received so long before a change may still hold back its notification: SQS hides a message no longer. */
const BEFORE_MS = 12 * HOUR_MS

/** A notification may come, and a processor may run, so much after the change. */
const AFTER_MS = 6 * HOUR_MS

/**
 * An event of which workers have given no sign for so long is open for ever, its message gone: SQS hides one for 12 hours,
 * and a worker may then be at it for as long.
 */
const ABANDONED_MS = 24 * HOUR_MS

export interface Missing {
  events: AssetEvent[]
  /** When those changes happened that cannot be told from such as wait: an event of their asset is not finished. */
  undecided: number[]
}

/**
 * The events that the journal should have for assets that a search found, and has not. Of a side that changed several
 * times it is the last change that counts: of the others the search does not know.
 *
 * @param assets sorted by the time of the side's change
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function missingEvents(
  side: Side,
  assets: readonly FoundAsset[],
  options: MissingOptions
): Promise<Missing> {
  const { events, undecided } =
    side.type === 'upload' ? uploads(side, assets, options) : await changes(side, assets, options)
  const known = await options.knownEvents(events.flatMap(idsOf))
  return { events: events.filter((event) => !idsOf(event).some((id) => known.has(id))), undecided }
}

/** None is undecided: one that waits has the same id, and nothing runs twice. */
function uploads(side: Side, assets: readonly FoundAsset[], options: MissingOptions): Missing {
  const events = assets
    .filter(({ type }) => UPLOADED_TYPES.includes(type))
    .map((asset) => uploadEvent(side, asset, options))
    .filter((event) => event !== undefined)
  return { events, undecided: [] }
}

interface Change {
  asset: FoundAsset
  /** Milliseconds since the epoch. */
  changedAt: number
}

/** Changes of which no notification is journaled, and that are not part of an upload. */
async function changes(side: Side, assets: readonly FoundAsset[], options: MissingOptions): Promise<Missing> {
  const timed = assets
    .map((asset) => ({ asset, changedAt: Date.parse(side.changedAt(asset) ?? '') }))
    .filter(({ asset, changedAt }) => changedAt > timeOf(asset.uploaded_at) + TOLERANCE_MS)
  const missing: Missing = { events: [], undecided: [] }
  // a page may span weeks, and their history would be too much to hold
  for (const [, ofDay] of Map.groupBy(timed, ({ changedAt }) => Math.floor(changedAt / DAY_MS))) {
    const times = ofDay.map(({ changedAt }) => changedAt)
    await options.history.load(Math.min(...times) - BEFORE_MS, Math.max(...times) + AFTER_MS)
    for (const change of ofDay) {
      const found = judge(side, change, options)
      if (found === 'undecided') missing.undecided.push(change.changedAt)
      else if (found !== 'told') missing.events.push(found)
    }
  }
  return missing
}

function judge(
  side: Side,
  { asset, changedAt }: Change,
  options: MissingOptions
): AssetEvent | 'told' | 'undecided' {
  const traces = options.history.of(options.environment, {
    assetId: asset.asset_id,
    publicId: asset.public_id
  })
  const isTold = traces.some(
    ({ type, occurredAt }) => tells(type, side) && occurredAt >= changedAt - TOLERANCE_MS
  )
  if (isTold) return 'told'
  // its notification may be behind that event, in the message group of the asset
  const since = options.receivedAt.getTime() - ABANDONED_MS
  if (traces.some(({ openAt }) => openAt !== undefined && openAt >= since)) return 'undecided'
  // what changed while a processor was at work on the asset, the processor changed
  const byListener = traces
    .flatMap(({ runs }) => runs)
    .some(({ from, until }) => changedAt >= from - TOLERANCE_MS && changedAt <= until + TOLERANCE_MS)
  return changeEvent(side, asset, byListener, options)
}

const timeOf = (written: string | undefined) =>
  written === undefined ? Number.NEGATIVE_INFINITY : Date.parse(written)

/** Whether an event of this type tells that the side changed: restoring a version brings back all of its sides. */
const tells = (type: AssetEvent['type'], side: Side) => type === side.type || type === 'restore_asset_version'
