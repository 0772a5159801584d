import type { StartInterval } from '../interval.ts'
import type { Logger } from '../logger.ts'
import { describeError } from '../worker/attempt-records.ts'
import type { Repair, RepairFailure, RepairStore } from './repair.ts'

export interface RepairProgressOptions {
  store: Pick<RepairStore, 'save'>
  log: Logger
  /** Milliseconds since the epoch. */
  clock: () => number
  every: StartInterval
}

/** Interval of progress writes, in milliseconds. An abort by another task takes effect within it. */
const SAVE_MS = 1000

const MAX_FAILURES = 20

/** The progress of a repair that runs in this process. Its records in the store are for other processes. */
export class RepairProgress {
  readonly #options: RepairProgressOptions
  readonly #abort = new AbortController()
  readonly #repair: Repair
  readonly #failures: RepairFailure[] = []
  #stopSaving = () => {}
  #saving: Promise<void> | undefined

  constructor(repair: Repair, options: RepairProgressOptions) {
    this.#repair = repair
    this.#options = options
  }

  /** Aborts when the repair is to stop. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get repair(): Repair {
    return { ...this.#repair, failures: [...this.#failures] }
  }

  /**
   * Stores the repair now, and its progress every second.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  async begin(): Promise<void> {
    await this.#save()
    this.#stopSaving = this.#options.every(SAVE_MS, () => void this.#saveInBackground())
  }

  /** Counts an event that is sent or discarded. */
  handled(count: 'sent' | 'discarded'): void {
    this.#repair[count]++
  }

  /** Records that an event could not be sent or discarded. */
  failedEvent(id: string, error: unknown): void {
    this.#repair.failed++
    if (this.#failures.length < MAX_FAILURES) this.#failures.push({ id, ...describeError(error) })
  }

  /** Records the progress of a sweep of the dead-letter queue. */
  sweeping(deadLetters: NonNullable<Repair['deadLetters']>): void {
    this.#repair.deadLetters = deadLetters
  }

  /** Stops the repair because of an error that would fail every event. */
  stop(error: unknown): void {
    this.#repair.error ??= describeError(error)
    this.#abort.abort()
  }

  abort(by: string): void {
    if (this.#abort.signal.aborted || this.#repair.state !== 'running') return
    const { id, kind } = this.#repair
    this.#options.log.info({ run: id, by }, `${kind} abort requested`)
    this.#repair.abortedBy = by
    this.#abort.abort()
  }

  /**
   * Stores and logs the end of the repair.
   *
   * @param isComplete false if an abort left something to do
   */
  async end(isComplete: boolean): Promise<void> {
    const repair = this.#repair
    this.#stopSaving()
    await this.#saving
    repair.state = repair.error ? 'failed' : isComplete ? 'done' : 'aborted'
    repair.endedAt = new Date(this.#options.clock()).toISOString()
    await this.#saveInBackground()
    const { id: run, by, kind, state, total, sent, discarded, failed, deadLetters } = repair
    const handled = kind === 'replay' ? { sent } : { discarded }
    this.#options.log.info(
      {
        ...{ run, by, state, events: total, ...handled, failed },
        ...(deadLetters && { deadLetters: deadLetters.deleted }),
        ...repair.error
      },
      `${kind} ended`
    )
  }

  /**
   * Stores the progress. A failure does not stop the repair: only what other processes show depends on this
   * write.
   */
  async #saveInBackground(): Promise<void> {
    this.#saving ??= this.#save()
      .catch((err) =>
        this.#options.log.warn({ err, run: this.#repair.id }, 'progress of a repair not recorded')
      )
      .finally(() => {
        this.#saving = undefined
      })
    await this.#saving
  }

  async #save(): Promise<void> {
    this.#repair.updatedAt = new Date(this.#options.clock()).toISOString()
    const { abortedBy } = await this.#options.store.save(this.repair)
    if (abortedBy !== undefined) this.abort(abortedBy)
  }
}
