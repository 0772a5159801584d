/** Upper bounds of the buckets, in milliseconds; the last bucket has none. */
export const LATENCY_BOUNDS_MS = [
  1, 2, 5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000, 10_000, 20_000,
  30_000, 60_000, 120_000, 300_000, 900_000, 3_600_000, 86_400_000
] as const

/** Latencies as counts per bucket: histograms of several processes can be added. */
export class LatencyHistogram {
  readonly buckets: number[] = new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0)

  add(milliseconds: number): void {
    if (!Number.isFinite(milliseconds)) return
    const index = LATENCY_BOUNDS_MS.findIndex((bound) => milliseconds <= bound)
    const bucket = index === -1 ? LATENCY_BOUNDS_MS.length : index
    this.buckets[bucket]! += 1
  }

  /** Adds the bucket counts of another process; missing buckets count as empty. */
  merge(buckets: readonly number[]): void {
    for (const [index, count] of buckets.entries()) {
      if (index < this.buckets.length) this.buckets[index]! += count
    }
  }

  /**
   * Returns an upper bound of a percentile, in milliseconds: the bound of its bucket. Undefined without values.
   *
   * @param fraction such as 0.95
   */
  percentile(fraction: number): number | undefined {
    const total = this.buckets.reduce((sum, count) => sum + count, 0)
    if (total === 0) return undefined
    let seen = 0
    const index = this.buckets.findIndex((count) => {
      seen += count
      return seen >= fraction * total
    })
    return LATENCY_BOUNDS_MS[Math.min(index, LATENCY_BOUNDS_MS.length - 1)]
  }
}
