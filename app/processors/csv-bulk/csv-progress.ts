import { ListenerError, PermanentError } from '../../errors.ts'
import type { State } from '../../journal/processor-state.ts'
import type { Logger } from '../../logger.ts'
import type { Dialect } from './csv-dialect.ts'

/** What became of a row. */
export interface Outcome {
  row: number
  operation: string
  publicId: string
  outcome: 'ok' | 'already' | 'failed'
  /** Why it failed, or why there was nothing left to do. */
  error: string
}

/** How far a file was run, as the journal keeps it: written after each batch, with what became of its rows. */
interface Checkpoint {
  /** All rows up to this one are done. */
  row: number
  counts: Record<Outcome['outcome'], number>
  /** Outcomes that are in chunks, values of their own, and those that are not yet; the latter may be of later rows. */
  chunks: number
  recent: Outcome[]
  dialect: Dialect
  /** No more rows are run; why, where it is not that all were. */
  ended?: { stopped?: string }
  reported?: true
}

export interface ProgressOptions {
  state: State
  /** Of this event, and of this replay of it. */
  key: string
  signal: AbortSignal
  log: Logger
  sleep: (milliseconds: number) => Promise<void>
}

/** A value may have 300 KB; in the worst case so many outcomes, and those of one batch more, have less. */
const CHUNK_OUTCOMES = 100

const LONGEST_PUBLIC_ID = 255
const LONGEST_ERROR = 300
const LONGEST_OPERATION = 20

const PAUSE_MS = 1000

/** What was done of a file. What is saved is not done again, whoever goes on. */
export class Progress {
  readonly #options: ProgressOptions
  /** What is saved next. */
  readonly checkpoint: Checkpoint
  /** An earlier run was interrupted: the rows after those that are done may have been run. */
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

  /** Where an earlier run left off, or the beginning. @throws {ListenerError} JOURNAL_UNAVAILABLE */
  static async open(options: ProgressOptions): Promise<Progress> {
    const progress = new Progress(options, await options.state.get<Checkpoint>(options.key))
    // so that the next run knows of this one
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

  /** Whether anything became of any row. */
  get isEmpty(): boolean {
    return Object.values(this.counts).every((count) => count === 0)
  }

  /** Whether a row is done. */
  has(row: number): boolean {
    return row <= this.row || this.checkpoint.recent.some((outcome) => outcome.row === row)
  }

  /** Notes what became of a row; kept once it is saved. */
  settle({ operation, publicId, error, ...outcome }: Outcome): void {
    this.checkpoint.recent.push({
      ...outcome,
      operation: cut(operation, LONGEST_OPERATION),
      publicId: cut(publicId, LONGEST_PUBLIC_ID),
      error: cut(error, LONGEST_ERROR)
    })
    this.checkpoint.counts[outcome.outcome]++
  }

  /** All rows up to this one are done. */
  async advance(row: number): Promise<void> {
    const checkpoint = this.checkpoint
    checkpoint.row = row
    if (checkpoint.recent.length >= CHUNK_OUTCOMES) {
      // were the worker killed between the two, the chunk would be written again
      await this.#put(this.#chunkKey(checkpoint.chunks), sorted(checkpoint.recent))
      checkpoint.chunks++
      checkpoint.recent = []
    }
    await this.save()
  }

  async end(stopped?: string): Promise<void> {
    this.checkpoint.ended = stopped === undefined ? {} : { stopped }
    await this.save()
  }

  async reported(): Promise<void> {
    this.checkpoint.reported = true
    await this.save()
  }

  async save(): Promise<void> {
    await this.#put(this.#options.key, this.checkpoint)
  }

  /** What became of all rows, in their order. @throws {PermanentError} CSV_OUTCOMES_FORGOTTEN */
  async *outcomes(): AsyncGenerator<Outcome, void, void> {
    const { chunks, recent } = this.checkpoint
    for (let index = 0; index < chunks; index++) {
      const chunk = await this.#options.state.get<Outcome[]>(this.#chunkKey(index))
      if (!chunk) {
        throw new PermanentError('The journal has forgotten what became of the first rows', {
          code: 'CSV_OUTCOMES_FORGOTTEN'
        })
      }
      yield* chunk
    }
    yield* sorted(recent)
  }

  #chunkKey(index: number): string {
    return `${this.#options.key}/${index}`
  }

  /** While the journal does not answer it is tried again, since what is done and not noted would be done again. */
  async #put(key: string, value: unknown): Promise<void> {
    const { state, signal, log, sleep } = this.#options
    for (;;) {
      try {
        return await state.set(key, value)
      } catch (err) {
        const mayPass = err instanceof ListenerError && err.code === 'JOURNAL_UNAVAILABLE'
        if (!mayPass || signal.aborted) throw err
        log.error({ err }, 'cannot note what was done of a CSV file; trying again')
        await sleep(PAUSE_MS)
      }
    }
  }
}

/** Of a batch, rows end in any order. */
const sorted = (outcomes: readonly Outcome[]) => outcomes.toSorted((a, b) => a.row - b.row)

const cut = (text: string, longest: number) => text.slice(0, longest).toWellFormed()
