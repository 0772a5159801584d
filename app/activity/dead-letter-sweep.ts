import type { AssetEvent } from '../ingest/event.ts'
import type { DeadLetterReader, ReceivedDeadLetter } from '../queue/dead-letter-reader.ts'

/** The dead-letter queue, as repairs use it. */
export interface DeadLetterQueue {
  /** Returns a reader for one sweep. */
  open: () => Pick<DeadLetterReader, 'receive' | 'delete' | 'release'>
  /** Returns the approximate number of dead letters. */
  count: () => Promise<number>
}

/** A dead letter that this listener wrote. */
export type ReadableDeadLetter = ReceivedDeadLetter & { event: AssetEvent }

export interface SweepOptions {
  queue: DeadLetterQueue
  /** Returns whether to delete a dead letter. */
  isWanted: (deadLetter: ReadableDeadLetter) => boolean
  /** Called with each batch of deleted dead letters. */
  onDeleted: (deadLetters: readonly ReadableDeadLetter[]) => Promise<void>
  /** Called with the wanted dead letters of each batch that SQS did not delete. */
  onNotDeleted: (deadLetters: readonly ReadableDeadLetter[]) => void
  /** Called with the number of dead letters that were looked at. */
  onChecked: (checked: number) => void
  /** Dead letters that were sent after this time are left alone; milliseconds since the epoch. */
  until: number
  /** Maximum number of dead letters to look at. */
  maximum: number
  signal: AbortSignal
}

/**
 * `complete`: SQS returned no more dead letters. It hides those that another receiver holds, and those behind
 * a held one of the same message group.
 */
export type SweepEnd = 'complete' | 'aborted' | 'limit'

/**
 * Deletes wanted dead letters. SQS cannot look up a message, so this receives all and keeps them hidden until
 * the end: for two minutes if the process is killed. Until then, other receivers do not see them.
 */
export async function sweepDeadLetters(options: SweepOptions): Promise<SweepEnd> {
  const { queue, isWanted, onDeleted, onNotDeleted, onChecked, until, maximum, signal } = options
  const reader = queue.open()
  let checked = 0
  try {
    // SQS may return no message although the queue has some
    for (let empty = 0; empty < 2; ) {
      if (signal.aborted) return 'aborted'
      if (checked >= maximum) return 'limit'
      const received = await reader.receive()
      checked += received.length
      onChecked(checked)
      const old = received.filter(({ sentAt }) => sentAt <= until)
      empty = old.length === 0 ? empty + 1 : 0
      const wanted = old.filter(isReadable).filter(isWanted)
      const deleted = await Promise.all(wanted.map((deadLetter) => reader.delete(deadLetter)))
      onNotDeleted(wanted.filter((_, index) => !deleted[index]))
      await onDeleted(wanted.filter((_, index) => deleted[index]))
    }
    return 'complete'
  } finally {
    await reader.release()
  }
}

const isReadable = (deadLetter: ReceivedDeadLetter): deadLetter is ReadableDeadLetter =>
  deadLetter.event !== undefined
