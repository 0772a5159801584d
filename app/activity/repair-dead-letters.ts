import {
  type DeadLetterQueue,
  type ReadableDeadLetter,
  type SweepEnd,
  sweepDeadLetters
} from './dead-letter-sweep.ts'
import type { RepairProgress } from './repair-progress.ts'

/** Maximum number of dead letters that a repair looks at; it holds them all until its end. */
const MAXIMUM_DEAD_LETTERS = 10_000

/** Runs one sweep of the dead-letter queue at a time: a sweep does not see the messages of another one. */
export class Sweeps {
  #last: Promise<unknown> = Promise.resolve()

  run<Result>(sweep: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(sweep)
    this.#last = turn.catch(() => {})
    return turn
  }
}

export interface RepairSweepOptions {
  deadLetters: DeadLetterQueue
  sweeps: Sweeps
  /** Maximum number of dead letters to look at. (Default: 10,000) */
  maximumDeadLetters?: number
}

/** Deletes dead letters that were sent before a repair started, and records the progress. */
export function sweepFor(
  progress: RepairProgress,
  { deadLetters: queue, sweeps, maximumDeadLetters: maximum = MAXIMUM_DEAD_LETTERS }: RepairSweepOptions,
  {
    isWanted,
    onDeleted = async () => {}
  }: {
    isWanted: (deadLetter: ReadableDeadLetter) => boolean
    onDeleted?: (deadLetters: readonly ReadableDeadLetter[]) => Promise<void>
  }
): Promise<SweepEnd> {
  return sweeps.run(async () => {
    const found = { queued: await queue.count(), checked: 0, deleted: 0 }
    progress.sweeping({ ...found })
    return sweepDeadLetters({
      queue,
      isWanted,
      async onDeleted(deadLetters) {
        found.deleted += deadLetters.length
        progress.sweeping({ ...found })
        await onDeleted(deadLetters)
      },
      onChecked(checked) {
        found.checked = checked
        progress.sweeping({ ...found })
      },
      until: Date.parse(progress.repair.at),
      maximum,
      signal: progress.signal
    })
  })
}
