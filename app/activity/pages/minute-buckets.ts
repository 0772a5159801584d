import type { MinuteCounts } from '../activity-store.ts'

const MINUTE_MS = 60_000

/** Time ranges of the strip, and the number of minutes per bar. */
export const WINDOWS = {
  '1h': { minutes: 60, bucketMinutes: 1, name: 'hour' },
  '6h': { minutes: 360, bucketMinutes: 5, name: '6 hours' },
  '24h': { minutes: 1440, bucketMinutes: 20, name: '24 hours' }
} as const

export type Window = keyof typeof WINDOWS

export const isWindow = (value: unknown): value is Window =>
  typeof value === 'string' && Object.hasOwn(WINDOWS, value)

/** Sums over the minutes of one bar. */
export interface Bucket {
  /** ISO 8601, UTC. */
  start: string
  accepted: number
  refused: number
  done: number
  retried: number
  dead: number
  ignored: number
  /** The highest value of all minutes: percentiles cannot be merged. */
  acknowledgeP95?: number
  endToEndP95?: number
}

/** Returns the start of the first minute of a window that ends now; ISO 8601, UTC. */
export function windowStart(window: Window, now: number): string {
  const { minutes, bucketMinutes } = WINDOWS[window]
  const bucketMs = bucketMinutes * MINUTE_MS
  const end = (Math.floor(now / bucketMs) + 1) * bucketMs
  return new Date(end - minutes * MINUTE_MS).toISOString()
}

/** Sums minutes into one bucket per bar, oldest first. */
export function bucketsOf(minutes: readonly MinuteCounts[], window: Window, now: number): Bucket[] {
  const start = Date.parse(windowStart(window, now))
  const bucketMs = WINDOWS[window].bucketMinutes * MINUTE_MS
  const buckets: Bucket[] = Array.from({
    length: WINDOWS[window].minutes / WINDOWS[window].bucketMinutes
  }).map((_, index) => ({
    start: new Date(start + index * bucketMs).toISOString(),
    accepted: 0,
    refused: 0,
    done: 0,
    retried: 0,
    dead: 0,
    ignored: 0
  }))
  for (const minute of minutes) {
    const bucket = buckets[Math.floor((Date.parse(minute.minute) - start) / bucketMs)]
    if (bucket) add(bucket, minute)
  }
  return buckets
}

function add(bucket: Bucket, minute: MinuteCounts): void {
  bucket.accepted += minute.accepted
  bucket.refused += sum(Object.values(minute.refused))
  for (const outcome of ['done', 'retried', 'dead', 'ignored'] as const) bucket[outcome] += minute[outcome]
  const acknowledge = minute.acknowledge?.p95
  if (acknowledge !== undefined) {
    bucket.acknowledgeP95 = Math.max(bucket.acknowledgeP95 ?? 0, acknowledge)
  }
  const endToEnd = minute.endToEnd?.p95
  if (endToEnd !== undefined) bucket.endToEndP95 = Math.max(bucket.endToEndP95 ?? 0, endToEnd)
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
