import type { MinuteCounts } from '../activity/activity-store.ts'
import { LatencyHistogram } from './latency-histogram.ts'
import type { MinuteRecord } from './minute-counts.ts'

/** Sums the counts of several processes by minute, oldest first. */
export function mergeMinutes(records: readonly MinuteRecord[]): MinuteCounts[] {
  const minutes = new Map<string, MinuteRecord[]>()
  for (const record of records) minutes.set(record.minute, [...(minutes.get(record.minute) ?? []), record])
  return [...minutes]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([minute, ofMinute]) => mergeMinute(minute, ofMinute))
}

function mergeMinute(minute: string, records: readonly MinuteRecord[]): MinuteCounts {
  const sums = { accepted: 0, done: 0, retried: 0, dead: 0, ignored: 0 }
  const refused = new Map<string, number>()
  const processors = new Map<string, { runs: number; failures: number }>()
  const acknowledge = new LatencyHistogram()
  const endToEnd = new LatencyHistogram()
  for (const record of records) {
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += record.counts[name]
    for (const [code, count] of Object.entries(record.refused)) {
      refused.set(code, (refused.get(code) ?? 0) + count)
    }
    for (const [name, { runs, failures }] of Object.entries(record.processors)) {
      const sum = processors.get(name) ?? { runs: 0, failures: 0 }
      processors.set(name, { runs: sum.runs + runs, failures: sum.failures + failures })
    }
    acknowledge.merge(record.acknowledge)
    endToEnd.merge(record.endToEnd)
  }
  const p50 = acknowledge.percentile(0.5)
  const p95 = acknowledge.percentile(0.95)
  const p99 = acknowledge.percentile(0.99)
  const slowest = endToEnd.percentile(0.95)
  return {
    minute,
    ...sums,
    refused: Object.fromEntries(refused),
    processors: Object.fromEntries(processors),
    acknowledge: p50 === undefined || p95 === undefined || p99 === undefined ? undefined : { p50, p95, p99 },
    endToEnd: slowest === undefined ? undefined : { p95: slowest }
  }
}
