import type { Asset, EventType } from '../ingest/event.ts'
import { type FeedItem, type JournalTable, readFeed, type TimeRange } from './feed.ts'
import { UNFINISHED } from './journal.ts'

/** What the feed says of one event of an asset. Times are milliseconds since the epoch. */
export interface Trace {
  type: EventType
  occurredAt: number
  /** The listener made the change. */
  own: boolean
  /** The last run of each processor. */
  runs: readonly { from: number; until: number }[]
  /** Of an unfinished event: when a worker last wrote to it, or the time until which one of its processors waits. */
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
 * Reads the events of some assets that were received in some ranges of time. It reads the whole feed of these ranges and
 * holds only what is asked for, since the feed has no index by asset.
 *
 * @returns the events of one of the assets, including those that have its public id and no asset id
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

/** The keys of an asset; events are held by the first of theirs. */
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
  const signs = [Date.parse(startedAt ?? occurredAt), ...runs.map(({ until }) => until), ...waits]
  return {
    type,
    occurredAt: Date.parse(occurredAt),
    own: origin.own,
    runs,
    ...(UNFINISHED.includes(status) && { openAt: Math.max(...signs) })
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
