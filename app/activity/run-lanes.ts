import type { AssetEventIds } from './repair-plan.ts'

export interface RunLanesOptions {
  /** Maximum number of lanes at a time. */
  concurrency: number
  /** When it aborts, no further event is handled. */
  signal: AbortSignal
}

/**
 * Handles the events of each lane sequentially, and up to `concurrency` lanes at a time. Resolves to false if
 * an abort left events.
 */
export async function runLanes(
  lanes: readonly AssetEventIds[],
  { concurrency, signal }: RunLanesOptions,
  handle: (id: string) => Promise<void>
): Promise<boolean> {
  const queue = lanes.values()
  let left = lanes.reduce((sum, lane) => sum + lane.length, 0)
  const runNext = async () => {
    for (const lane of queue) {
      for (const id of lane) {
        if (signal.aborted) return
        left--
        await handle(id)
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, runNext))
  return left === 0
}
