import type { Metrics } from '../../app/metrics/metrics.ts'

/** In-memory metrics, for tests of code that reports them. */
export function memoryMetrics() {
  /** By name and detail: `NotificationsRefused SIGNATURE_INVALID`. */
  const counts: Record<string, number> = {}
  const durations: Record<string, number[]> = {}
  const keyOf = (name: string, detail: object = {}) => [name, ...Object.values(detail)].join(' ')
  const metrics: Metrics = {
    count(name, by, ...[detail]) {
      const key = keyOf(name, detail)
      counts[key] = (counts[key] ?? 0) + by
    },
    time(name, milliseconds, ...[detail]) {
      const key = keyOf(name, detail)
      durations[key] = [...(durations[key] ?? []), milliseconds]
    },
    gauge() {}
  }
  return { metrics, counts, durations }
}
