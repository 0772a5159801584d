import { ListenerError, PermanentError } from '../../errors.ts'
import type { State } from '../../journal/processor-state.ts'
import type { Logger } from '../../logger.ts'
import type { Dialect } from './csv-dialect.ts'

export interface RowOutcome {
  row: number
  operation: string
  publicId: string
  outcome: 'ok' | 'already' | 'failed'
  /** Why it failed, or why there was nothing to do. */
  error: string
}

/** The state of a run in the journal, saved after each batch. Its format is stored: do not rename fields. */
interface Checkpoint {
  /** All rows up to this one are done. */
  row: number
  counts: Record<RowOutcome['outcome'], number>
  /** Number of values, of {@link CHUNK_OUTCOMES} outcomes each, that are saved beside the checkpoint. */
  chunks: number
  /** Outcomes that are not in a chunk yet, perhaps of rows after `row`. */
  recent: RowOutcome[]
  dialect: Dialect
  /** Set when no more rows will run; `stopped` is why some rows did not. */
  ended?: { stopped?: string }
  reported?: true
}

export interface ProgressOptions {
  state: State
  /** Unique to the event and its replay. */
  key: string
  signal: AbortSignal
  log: Logger
  sleep: (milliseconds: number) => Promise<void>
}

/** Outcomes per value. A value holds 300 KB; these, and those of one more batch, always fit. */
const CHUNK_OUTCOMES = 100

const MAX_PUBLIC_ID = 255
const MAX_ERROR = 300
const MAX_OPERATION = 20

const RETRY_PAUSE_MS = 1000

/** The progress of a file, saved in the journal: a later run skips rows that are saved as done. */
export class Progress {
  readonly #options: ProgressOptions
  /** The values that the next save writes. */
  readonly checkpoint: Checkpoint
  /** True if an earlier run was interrupted: it may have run rows after those that are done. */
  readonly isResumed: boolean

  private constructor(options: ProgressOptions, stored: Checkpoint | undefined) {
    this.#options = options
    this.isResumed = stored !== undefined
    this.checkpoint = stored ?? {
      row: 1,
      counts: { ok: 0, already: 0, failed: 0 },
      chunks: 0,
      recent: [],
      dialect: { delimiter: ',', bom: false }
    }
  }

  /**
   * Loads the progress of an earlier run, or starts a new one.
   *
   * @throws {ListenerError} JOURNAL_UNAVAILABLE
   */
  static async open(options: ProgressOptions): Promise<Progress> {
    const progress = new Progress(options, await options.state.get<Checkpoint>(options.key))
    // marks the next run as resumed
    if (!progress.isResumed) await progress.save()
    return progress
  }

  /** All rows up to this one are done; the header is 1. */
  get row(): number {
    return this.checkpoint.row
  }

  get counts(): Readonly<Checkpoint['counts']> {
    return this.checkpoint.counts
  }

  /** True if no row has an outcome yet. */
  get isEmpty(): boolean {
    return Object.values(this.counts).every((count) => count === 0)
  }

  /** Returns whether a row is done. */
  has(row: number): boolean {
    return row <= this.row || this.checkpoint.recent.some((outcome) => outcome.row === row)
  }

  /** Adds the outcome of a row to the next save. */
  settle({ operation, publicId, error, ...outcome }: RowOutcome): void {
    this.checkpoint.recent.push({
      ...outcome,
      operation: cut(operation, MAX_OPERATION),
      publicId: cut(publicId, MAX_PUBLIC_ID),
      error: cut(error, MAX_ERROR)
    })
    this.checkpoint.counts[outcome.outcome]++
  }

  /** Saves that all rows up to this one are done. */
  async advance(row: number): Promise<void> {
    const checkpoint = this.checkpoint
    checkpoint.row = row
    if (checkpoint.recent.length >= CHUNK_OUTCOMES) {
      // if the worker is killed before the save below, the next one overwrites the chunk
      await this.#put(this.#chunkKey(checkpoint.chunks), sorted(checkpoint.recent))
      checkpoint.chunks++
      checkpoint.recent = []
    }
    await this.save()
  }

  /** Saves that no more rows will run. */
  async end(stopped?: string): Promise<void> {
    this.checkpoint.ended = stopped === undefined ? {} : { stopped }
    await this.save()
  }

  /** Saves that the report is uploaded. */
  async reported(): Promise<void> {
    this.checkpoint.reported = true
    await this.save()
  }

  async save(): Promise<void> {
    await this.#put(this.#options.key, this.checkpoint)
  }

  /** Yields the outcomes of all rows in order. @throws {PermanentError} CSV_OUTCOMES_FORGOTTEN */
  async *outcomes(): AsyncGenerator<RowOutcome, void, void> {
    const { chunks, recent } = this.checkpoint
    for (let index = 0; index < chunks; index++) {
      const chunk = await this.#options.state.get<RowOutcome[]>(this.#chunkKey(index))
      if (!chunk) {
        throw new PermanentError(
          'the outcomes of the first rows have expired; replay the event to run the file again',
          {
            code: 'CSV_OUTCOMES_FORGOTTEN'
          }
        )
      }
      yield* chunk
    }
    yield* sorted(recent)
  }

  #chunkKey(index: number): string {
    return `${this.#options.key}/${index}`
  }

  /**
   * Writes a value. Waits while the journal is unavailable, since rows that are done but not saved would run
   * again.
   */
  async #put(key: string, value: unknown): Promise<void> {
    const { state, signal, log, sleep } = this.#options
    for (;;) {
      try {
        return await state.set(key, value)
      } catch (err) {
        const isTemporary = err instanceof ListenerError && err.code === 'JOURNAL_UNAVAILABLE'
        if (!isTemporary || signal.aborted) throw err
        log.error({ err }, 'CSV progress write failed; retrying')
        await sleep(RETRY_PAUSE_MS)
      }
    }
  }
}

/** Sorts outcomes by row: the rows of a batch finish in any order. */
const sorted = (outcomes: readonly RowOutcome[]) => outcomes.toSorted((a, b) => a.row - b.row)

const cut = (text: string, maxLength: number) => text.slice(0, maxLength).toWellFormed()
