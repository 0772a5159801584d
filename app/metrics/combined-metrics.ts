import type { RoleMetrics } from './metrics.ts'

/** Records each metric in several places. */
export function combineMetrics(parts: readonly RoleMetrics[]): RoleMetrics {
  return {
    count: (...given) => {
      for (const part of parts) part.count(...given)
    },
    time: (...given) => {
      for (const part of parts) part.time(...given)
    },
    gauge: (name, read) => {
      for (const part of parts) part.gauge(name, read)
    },
    start: () => {
      for (const part of parts) part.start()
    },
    stop: async () => {
      await Promise.all(parts.map((part) => part.stop()))
    }
  }
}
