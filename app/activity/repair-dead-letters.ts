import {
  type DeadLetterQueue,
  type SweepEnd,
  type SweepOptions,
  sweepDeadLetters
} from './dead-letter-sweep.ts'
import type { RepairProgress } from './repair-progress.ts'

/** Maximum number of dead letters that a repair looks at; it holds them all until its end. */
const MAX_DEAD_LETTERS = 10_000

/** Runs one sweep of the dead-letter queue at a time: a sweep does not see the messages of another one. */
export class SweepQueue {
  #last: Promise<unknown> = Promise.resolve()

  /**
   * Runs a sweep after all earlier ones. Resolves to `aborted` at once if the signal aborts before its turn.
   */
  run(sweep: () => Promise<SweepEnd>, signal: AbortSignal): Promise<SweepEnd> {
    const aborted = Promise.withResolvers<SweepEnd>()
    const stopWaiting = () => aborted.resolve('aborted')
    signal.addEventListener('abort', stopWaiting)
    const turn = this.#last.then(() => {
      signal.removeEventListener('abort', stopWaiting)
      return signal.aborted ? 'aborted' : sweep()
    })
    this.#last = turn.catch(() => {})
    return Promise.race([turn, aborted.promise])
  }
}

export interface RepairSweepOptions {
  deadLetters: DeadLetterQueue
  sweeps: SweepQueue
  /** Maximum number of dead letters to look at. (Default: 10,000) */
  maximumDeadLetters?: number
}

interface SweptDeadLetters
  extends Pick<SweepOptions, 'isWanted'>,
    Partial<Pick<SweepOptions, 'onDeleted' | 'onNotDeleted'>> {
  /** Returns the time after which dead letters are left alone; called when the sweep starts. */
  until: () => number
}

/** Deletes dead letters of a repair, and records the progress. */
export function deleteDeadLetters(
  progress: RepairProgress,
  { deadLetters: queue, sweeps, maximumDeadLetters: maximum = MAX_DEAD_LETTERS }: RepairSweepOptions,
  { isWanted, until, onDeleted = async () => {}, onNotDeleted = () => {} }: SweptDeadLetters
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
      onNotDeleted,
      until: until(),
      maximum,
      signal: progress.signal
    })
  }, progress.signal)
}
