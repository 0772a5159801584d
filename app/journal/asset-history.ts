import type { Asset, EventType } from '../ingest/event.ts'
import { type FeedItem, readFeed, type TimeRange } from './feed.ts'
import { UNFINISHED } from './journal-entry.ts'
import type { JournalTable } from './journal-table.ts'

/** One event in the history of an asset. Times are in milliseconds since the epoch. */
export interface Trace {
  type: EventType
  occurredAt: number
  /** True if the listener made the change. */
  own: boolean
  /** The last run of each processor. */
  runs: readonly { from: number; until: number }[]
  /** For an unfinished event: the last write of a worker, or the end of the wait of one of its processors. */
  openAt?: number
}

const ATTRIBUTES = [
  'type',
  'environment',
  'asset',
  'origin',
  'occurredAt',
  'startedAt',
  'status',
  'processors'
] as const

/**
 * Reads the events of some assets that were received in some time ranges. The feed has no index by asset, so
 * this reads the whole feed in these ranges.
 *
 * @returns the events of one of the assets, including events that have its public id but no asset id
 * @throws {ListenerError} JOURNAL_UNAVAILABLE
 */
export async function readAssetHistory(
  environment: string,
  assets: readonly Asset[],
  ranges: readonly TimeRange[],
  table: JournalTable
): Promise<(asset: Asset) => Trace[]> {
  const traces = new Map<string, Trace[]>()
  for (const asset of assets) for (const key of keysOf(asset)) traces.set(key, [])
  for (const range of mergeRanges(ranges)) {
    await readFeed(table, range, ATTRIBUTES, (item) => {
      if (item.environment !== environment || !item.asset) return
      const [key] = keysOf(item.asset)
      traces.get(key!)?.push(traceOf(item))
    })
  }
  return (asset) => keysOf(asset).flatMap((key) => traces.get(key) ?? [])
}

/** Returns the keys of an asset. The first one is the key under which its events are stored. */
export const keysOf = ({ assetId, publicId }: Asset): string[] => [
  ...(assetId ? [`id ${assetId}`] : []),
  ...(publicId ? [`name ${publicId}`] : [])
]

function traceOf(item: Pick<FeedItem, (typeof ATTRIBUTES)[number]>): Trace {
  const { type, origin, occurredAt, startedAt, status, processors = {} } = item
  const records = Object.values(processors)
  const runs = records.map((record) => {
    const until = Date.parse(record.at)
    return { from: until - ('milliseconds' in record ? record.milliseconds : 0), until }
  })
  const waits = records.map((record) => ('notBefore' in record ? Date.parse(record.notBefore) : 0))
  const times = [Date.parse(startedAt ?? occurredAt), ...runs.map(({ until }) => until), ...waits]
  return {
    type,
    occurredAt: Date.parse(occurredAt),
    own: origin.own,
    runs,
    ...(UNFINISHED.includes(status) && { openAt: Math.max(...times) })
  }
}

function mergeRanges(ranges: readonly TimeRange[]): TimeRange[] {
  const merged: TimeRange[] = []
  for (const { from, until } of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last && from <= last.until + 1) last.until = Math.max(last.until, until)
    else merged.push({ from, until })
  }
  return merged
}
