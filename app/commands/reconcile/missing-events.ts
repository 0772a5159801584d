import type { FoundAsset } from '../../cloudinary/search.ts'
import type { Asset, AssetEvent } from '../../ingest/event.ts'
import type { Trace } from '../../journal/asset-history.ts'
import type { TimeRange } from '../../journal/feed.ts'
import type { Notified, NotifiedChanges } from '../../journal/notified-changes.ts'
import { type Change, changeOf, eventOf, TOLERANCE_MS } from './found-change.ts'
import { type FindingContext, idsOf } from './found-events.ts'
import type { Windows } from './search-windows.ts'
import { SIDES, type Side } from './tracked-changes.ts'

export interface MissingOptions extends FindingContext {
  /** The sides of the pass, in its order. */
  windows: Windows
  notified: Pick<NotifiedChanges, 'load' | 'of'>
  /** Reads the events of assets that were received in some ranges of time. */
  history: (assets: readonly Asset[], ranges: readonly TimeRange[]) => Promise<(asset: Asset) => Trace[]>
  /** Which of these events the journal knows. */
  knownEvents: (ids: readonly string[]) => Promise<ReadonlySet<string>>
}

/** Restoring a version of an asset brings back all of its sides. */
const RESTORE = 'restore_asset_version'

/** The types of events that report a change other than an upload. */
export const REPORTING_TYPES = [
  ...SIDES.map(({ type }) => type).filter((type) => type !== 'upload'),
  RESTORE
] as const

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Most notifications are received within this time before (clocks differ) and after their change. */
const SOON_BEFORE_MS = MINUTE_MS
const SOON_AFTER_MS = 5 * MINUTE_MS

/** Changes of this time are looked at together, so that few minutes of the feed are held. */
const SLICE_MS = 5 * MINUTE_MS

/** An event received so long before a change may still hold back its notification: SQS hides a message no longer. */
const BEFORE_MS = 12 * HOUR_MS

/** A notification may be received so long after the change, from a poll channel too. */
const AFTER_MS = 6 * HOUR_MS

/** An event of the listener's own reports the change that it is about, and no earlier one. */
const OWN_AFTER_MS = MINUTE_MS

/** An unfinished event that no worker wrote to for this time has lost its message: 12 hours hidden, and as long in work. */
const ABANDONED_MS = 24 * HOUR_MS

/** How long an event waits until the later changes of its asset can be decided with it. */
const PATIENCE_MS = 3 * HOUR_MS

export interface Missing {
  /** Those of an asset in the order of time. */
  events: AssetEvent[]
  /** Of those that are left for the next pass. */
  undecided: Change[]
}

/**
 * The changes of a side that a quick look does not find in the journal: an upload by its id, another change by a
 * notification that was received within minutes. It holds a few minutes of the feed.
 *
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function suspects(
  side: Side,
  assets: readonly FoundAsset[],
  options: MissingOptions
): Promise<Change[]> {
  const changes = assets.map((asset) => changeOf(side, asset)).filter((change) => change !== undefined)
  if (side.type === 'upload') return unknown(changes, options)
  const suspected: Change[] = []
  for (const [, slice] of Map.groupBy(changes, ({ changedAt }) => Math.floor(changedAt / SLICE_MS))) {
    const times = slice.map(({ changedAt }) => changedAt)
    await options.notified.load(Math.min(...times) - SOON_BEFORE_MS, Math.max(...times) + SOON_AFTER_MS)
    suspected.push(
      ...slice.filter((change) => !options.notified.of(named(change)).some((event) => reports(event, change)))
    )
  }
  return unknown(suspected, options)
}

/** Whether the feed must be read to say what is missing of the asset. */
export function needsHistory(change: Change, { windows }: Pick<MissingOptions, 'windows'>): boolean {
  return toDecide(change, windows).some(({ side }) => side.type !== 'upload')
}

/**
 * The events that are missing of assets with a suspected change. Of each asset, all sides that the pass looks at are
 * decided together, before anything is sent: what a processor writes for the first event moves the time of a side,
 * and hides from a later search what was changed before.
 *
 * @param found one change of each asset, all of one side
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function missingEvents(found: readonly Change[], options: MissingOptions): Promise<Missing> {
  const toJudge = found.map((change) => ({ change, all: toDecide(change, options.windows) }))
  const ranges = toJudge
    .flatMap(({ all }) => all)
    .filter(({ side }) => side.type !== 'upload')
    .map(({ changedAt }) => ({ from: changedAt - BEFORE_MS, until: changedAt + AFTER_MS }))
  const historyOf = await options.history(found.map(named), ranges)
  const unreported = toJudge
    .flatMap(({ all }) => all)
    .filter((change) => !historyOf(named(change)).some((trace) => reports(trace, change)))
  const missing = new Set(await unknown(unreported, options))
  const result: Missing = { events: [], undecided: [] }
  for (const { change, all } of toJudge) {
    const traces = historyOf(named(change))
    const ofAsset = all.filter((each) => missing.has(each))
    const mayWait = ofAsset.some(({ side }) => side.type !== 'upload') && isOpen(traces, options)
    if (ofAsset.length > 0 && (mayWait || waitsForLater(change, options.windows))) {
      result.undecided.push(change)
    } else {
      result.events.push(...ofAsset.map((each) => eventOf(each, isByListener(traces, each), options)!))
    }
  }
  return result
}

/** Of the asset of a change that was found: that one, and those of sides that are still to be searched. */
function toDecide({ side, asset, ...found }: Change, windows: Windows): Change[] {
  const sides = [...windows.keys()]
  const later = sides.slice(sides.indexOf(side) + 1).map((other) => changeOf(other, asset))
  const inWindow = later.filter((change) => {
    const window = change && windows.get(change.side)!
    return window && change.changedAt >= window.from && change.changedAt <= window.until
  }) as Change[]
  return [{ side, asset, ...found }, ...inWindow].sort((a, b) => a.changedAt - b.changedAt)
}

/** Whether another side of the asset has changed since, so lately that it cannot be decided yet. */
function waitsForLater({ asset, changedAt }: Change, windows: Windows): boolean {
  return [...windows].some(([side, { from, until }]) => {
    const later = changeOf(side, asset)
    return (
      later !== undefined &&
      later.changedAt > until &&
      later.changedAt >= from &&
      changedAt > until - PATIENCE_MS
    )
  })
}

/** Those whose events the journal does not know. */
async function unknown(changes: readonly Change[], options: MissingOptions): Promise<Change[]> {
  const named = changes.map((change) => {
    const event = eventOf(change, false, options)
    return { change, ids: event ? idsOf(event) : [] }
  })
  const known = await options.knownEvents(named.flatMap(({ ids }) => ids))
  return named
    .filter(({ ids }) => ids.length > 0 && !ids.some((id) => known.has(id)))
    .map(({ change }) => change)
}

/** Whether an event reports a change. An upload is known by its id alone. */
function reports({ type, occurredAt, own }: Notified, { side, changedAt }: Change): boolean {
  if (side.type === 'upload' || (type !== side.type && type !== RESTORE)) return false
  return occurredAt >= changedAt - TOLERANCE_MS && (!own || occurredAt <= changedAt + OWN_AFTER_MS)
}

/** Whether notifications may wait in the message group of the asset, behind an event that is not finished. */
function isOpen(traces: readonly Trace[], { receivedAt }: FindingContext): boolean {
  const since = receivedAt.getTime() - ABANDONED_MS
  return traces.some(({ openAt }) => openAt !== undefined && openAt >= since)
}

/** What changed while a processor was at work on the asset, the processor is taken to have changed. */
const isByListener = (traces: readonly Trace[], { changedAt }: Change) =>
  traces
    .flatMap(({ runs }) => runs)
    .some(({ from, until }) => changedAt >= from - TOLERANCE_MS && changedAt <= until + TOLERANCE_MS)

const named = ({ asset }: Change): Asset => ({ assetId: asset.asset_id, publicId: asset.public_id })
