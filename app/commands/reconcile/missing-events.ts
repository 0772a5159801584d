import type { FoundAsset } from '../../cloudinary/search.ts'
import type { Asset, AssetEvent } from '../../ingest/event.ts'
import type { Trace } from '../../journal/asset-history.ts'
import type { TimeRange } from '../../journal/feed.ts'
import type { NotifiedChange, NotifiedChanges } from '../../journal/notified-changes.ts'
import { CHANGE_KINDS, type ChangeKind } from './change-kinds.ts'
import {
  changeOf,
  type EventContext,
  eventOf,
  type FoundChange,
  idsOf,
  TOLERANCE_MS
} from './found-changes.ts'
import type { SearchWindows } from './search-windows.ts'

export interface MissingOptions extends EventContext {
  windows: SearchWindows
  notified: Pick<NotifiedChanges, 'load' | 'of'>
  /** Reads the events of assets that were received in these time ranges. */
  history: (assets: readonly Asset[], ranges: readonly TimeRange[]) => Promise<(asset: Asset) => Trace[]>
  /** Returns those of the given ids that are in the journal. */
  knownEvents: (ids: readonly string[]) => Promise<ReadonlySet<string>>
}

/** The restore of a version of an asset changes its tags, metadata and context. */
const RESTORE = 'restore_asset_version'

/** The types of events that report a change other than an upload. */
export const REPORTING_TYPES = [
  ...CHANGE_KINDS.map(({ type }) => type).filter((type) => type !== 'upload'),
  RESTORE
] as const

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Most notifications are received between this time before their change (because clocks differ) … */
const SOON_BEFORE_MS = MINUTE_MS
/** … and this time after it. */
const SOON_AFTER_MS = 5 * MINUTE_MS

/**
 * Length of the periods whose changes are checked together, in milliseconds. Keeps the feed in memory short.
 */
const SLICE_MS = 5 * MINUTE_MS

/**
 * Maximum time before a change in which another event of the asset can have arrived that still blocks its
 * notification: SQS hides messages for up to 12 hours.
 */
const BEFORE_MS = 12 * HOUR_MS

/** Maximum delay of a notification after its change, including from a poll channel. */
const AFTER_MS = 6 * HOUR_MS

/** An event of the listener's own change reports changes that are at most this much older. */
const OWN_AFTER_MS = MINUTE_MS

/**
 * An unfinished event that was not written to for this time has lost its message: SQS hides messages for at
 * most 12 hours, and a worker holds them for at most 12 more.
 */
const ABANDONED_MS = 24 * HOUR_MS

/** Maximum time that a change waits until later changes of its asset can be decided. */
const PATIENCE_MS = 3 * HOUR_MS

export interface MissingEvents {
  /** The events of each asset in order of time. */
  events: AssetEvent[]
  /** Changes that are left for the next pass. */
  undecided: FoundChange[]
}

/**
 * Returns the suspected changes of a kind: those that a first search of the journal does not find. It
 * searches for uploads by ID, and for other changes by a notification that was received within minutes. Holds
 * a few minutes of the feed.
 *
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function suspectedChanges(
  kind: ChangeKind,
  assets: readonly FoundAsset[],
  options: MissingOptions
): Promise<FoundChange[]> {
  const changes = assets.map((asset) => changeOf(kind, asset)).filter((change) => change !== undefined)
  if (kind.type === 'upload') return notInJournal(changes, options)
  const suspected: FoundChange[] = []
  for (const [, slice] of Map.groupBy(changes, ({ changedAt }) => Math.floor(changedAt / SLICE_MS))) {
    const times = slice.map(({ changedAt }) => changedAt)
    await options.notified.load(Math.min(...times) - SOON_BEFORE_MS, Math.max(...times) + SOON_AFTER_MS)
    suspected.push(
      ...slice.filter(
        (change) => !options.notified.of(identityOf(change)).some((event) => reports(event, change))
      )
    )
  }
  return notInJournal(suspected, options)
}

/** Returns whether the feed must be read to decide which changes of the asset are missing. */
export function needsHistory(change: FoundChange, { windows }: Pick<MissingOptions, 'windows'>): boolean {
  return toDecide(change, windows).some(({ kind }) => kind.type !== 'upload')
}

/**
 * Returns the missing events of assets with a suspected change. Decides all changes of an asset together,
 * before anything is sent: a processor that handles the first event may change the asset, and so hide an
 * earlier change from later searches.
 *
 * @param suspected one change of each asset, all of one kind
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function missingEvents(
  suspected: readonly FoundChange[],
  options: MissingOptions
): Promise<MissingEvents> {
  const assets = suspected.map((change) => ({ change, all: toDecide(change, options.windows) }))
  const changes = assets.flatMap(({ all }) => all)
  const ranges = changes
    .filter(({ kind }) => kind.type !== 'upload')
    .map(({ changedAt }) => ({ from: changedAt - BEFORE_MS, until: changedAt + AFTER_MS }))
  const historyOf = await options.history(suspected.map(identityOf), ranges)
  const unreported = changes.filter(
    (change) => !historyOf(identityOf(change)).some((trace) => reports(trace, change))
  )
  const missing = new Set(await notInJournal(unreported, options))
  const result: MissingEvents = { events: [], undecided: [] }
  for (const { change, all } of assets) {
    const traces = historyOf(identityOf(change))
    const missingOfAsset = all.filter((each) => missing.has(each))
    const mayBeQueued =
      missingOfAsset.some(({ kind }) => kind.type !== 'upload') && hasUnfinished(traces, options)
    if (missingOfAsset.length > 0 && (mayBeQueued || waitsForLater(change, options.windows))) {
      result.undecided.push(change)
    } else {
      const events = missingOfAsset.map((each) => eventOf(each, isByListener(traces, each), options)!)
      result.events.push(...events)
    }
  }
  return result
}

/** Returns a found change, and those changes of its asset whose kinds are searched later. */
function toDecide({ kind, asset, ...found }: FoundChange, windows: SearchWindows): FoundChange[] {
  const kinds = [...windows.keys()]
  const later = kinds.slice(kinds.indexOf(kind) + 1).map((other) => changeOf(other, asset))
  const inWindow = later.filter((change) => {
    const window = change && windows.get(change.kind)!
    return window && change.changedAt >= window.from && change.changedAt <= window.until
  }) as FoundChange[]
  return [{ kind, asset, ...found }, ...inWindow].sort((a, b) => a.changedAt - b.changedAt)
}

/** Returns whether the asset has since changed in another way, too recently to be decided. */
function waitsForLater({ asset, changedAt }: FoundChange, windows: SearchWindows): boolean {
  return [...windows].some(([kind, { from, until }]) => {
    const later = changeOf(kind, asset)
    return (
      later !== undefined &&
      later.changedAt > until &&
      later.changedAt >= from &&
      changedAt > until - PATIENCE_MS
    )
  })
}

async function notInJournal(
  changes: readonly FoundChange[],
  options: MissingOptions
): Promise<FoundChange[]> {
  const withIds = changes.map((change) => {
    const event = eventOf(change, false, options)
    return { change, ids: event ? idsOf(event) : [] }
  })
  const known = await options.knownEvents(withIds.flatMap(({ ids }) => ids))
  return withIds
    .filter(({ ids }) => ids.length > 0 && !ids.some((id) => known.has(id)))
    .map(({ change }) => change)
}

/** Returns whether an event reports a change. Uploads are recognised by ID only. */
function reports({ type, occurredAt, own }: NotifiedChange, { kind, changedAt }: FoundChange): boolean {
  if (kind.type === 'upload' || (type !== kind.type && type !== RESTORE)) return false
  return occurredAt >= changedAt - TOLERANCE_MS && (!own || occurredAt <= changedAt + OWN_AFTER_MS)
}

/** Returns whether notifications of the asset may wait in its message group behind an unfinished event. */
function hasUnfinished(traces: readonly Trace[], { receivedAt }: EventContext): boolean {
  const since = receivedAt.getTime() - ABANDONED_MS
  return traces.some(({ openAt }) => openAt !== undefined && openAt >= since)
}

/** Changes made while a processor worked on the asset are assumed to be the listener's own. */
const isByListener = (traces: readonly Trace[], { changedAt }: FoundChange) =>
  traces
    .flatMap(({ runs }) => runs)
    .some(({ from, until }) => changedAt >= from - TOLERANCE_MS && changedAt <= until + TOLERANCE_MS)

const identityOf = ({ asset }: FoundChange): Asset => ({ assetId: asset.asset_id, publicId: asset.public_id })
