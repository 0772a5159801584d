import type { AssetEvent } from '../../../app/ingest/event.ts'
import { type ProcessorRecords, recordNamed } from '../../../app/journal/processor-record.ts'
import type { SimulatedProcess } from '../scheduler.ts'
import { attemptsKey, type Run } from './run.ts'

/** The start of a processor that the journal has stored. */
interface Start {
  attemptId: unknown
  process: SimulatedProcess | undefined
  /** Undefined if the processor was not called: the worker ended, or never saw the answer of the journal. */
  run: Run | undefined
  /** The journal has the outcome. */
  isRecorded: boolean
}

type Item = Readonly<Record<string, unknown>>

/** Code of an event whose last attempt has no recorded outcome. */
const EXHAUSTED = 'ATTEMPTS_EXHAUSTED'

/**
 * How many attempts each processor may have spent on an event. A start spends one unless its outcome is recorded and
 * does not count: an interruption, or a further failure in one outage or rate limit of Cloudinary.
 */
export class AttemptTracker {
  readonly #starts = new Map<string, Start[]>()
  readonly #calls = new Map<string, number>()

  /** A process has changed an event in the journal. */
  journaled(process: SimulatedProcess | undefined, before: Item | undefined, after: Item): void {
    const { attemptId } = after
    const records = (after.processors ?? {}) as ProcessorRecords
    for (const [processor, record] of Object.entries(records)) {
      const previous = recordNamed(before?.processors as ProcessorRecords | undefined, processor)
      const key = attemptsKey(String(after.id), processor, record.run)
      if (record.outcome !== 'started') {
        const start = this.#starts.get(key)?.findLast((each) => each.attemptId === attemptId)
        if (start) start.isRecorded = true
        if (start?.run && record.outcome === 'succeeded') start.run.isRecorded = true
      } else if (record.at !== previous?.at || record.attempts !== previous.attempts) {
        const starts = this.#starts.get(key) ?? []
        this.#starts.set(key, starts)
        starts.push({ attemptId, process, run: undefined, isRecorded: false })
      }
    }
  }

  called(run: Run): void {
    const key = attemptsKey(run.event.id, run.processor, run.event.run?.id)
    this.#calls.set(key, (this.#calls.get(key) ?? 0) + 1)
    const start = this.#starts.get(key)?.findLast(({ process }) => process === run.process)
    if (start && !start.run) start.run = run
  }

  /** How often a processor was called for an event, in this redrive or replay. */
  callsOf(processor: string, { id, run }: AssetEvent): number {
    return this.#calls.get(attemptsKey(id, processor, run?.id)) ?? 0
  }

  /** Maximum number of attempts that a processor may have spent when it is dead-lettered with a code. */
  spent(processor: string, { id, run }: AssetEvent, code: string): number {
    const outages = new Set<object>()
    let counted = 0
    for (const start of this.#starts.get(attemptsKey(id, processor, run?.id)) ?? []) {
      // the dead letter comes before the record of its attempt
      const isDeciding = start.run?.state === 'failed' && !start.run.isLost && code !== EXHAUSTED
      const failure = start.run?.failure
      if (!start.isRecorded && !isDeciding) counted++
      else if (failure === 'its own') counted++
      else if (typeof failure === 'object') outages.add(failure)
    }
    return counted + outages.size
  }
}
