import type { CloudinaryClient } from '../../cloudinary/client.ts'
import { PermanentError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { runBatch } from './csv-batch.ts'
import { type Header, invalidHeader, readHeader } from './csv-header.ts'
import type { Progress } from './csv-progress.ts'
import { uploadReport } from './csv-report.ts'
import { reportIdOf } from './csv-report-id.ts'
import { NOT_UTF8, type Row, rowsOf } from './csv-rows.ts'
import { contentOf, requireCurrent, type Source, SourceGoneError } from './csv-source.ts'
import { type Operation, readRow, type Task } from './csv-task.ts'
import { runTask } from './row-operations.ts'

export interface FileRun {
  source: Source
  progress: Progress
  cloudinary: CloudinaryClient
  log: Logger
  signal: AbortSignal
  /** Rows that run in parallel. */
  concurrency: number
  operations: readonly Operation[]
  /** Milliseconds since the epoch. */
  clock: () => number
  /** A number from 0 up to 1. */
  random: () => number
  sleep: (milliseconds: number) => Promise<void>
}

/** Interval of progress log lines, in milliseconds. */
const PROGRESS_MS = 10_000

/** Rows between two checks that the file still exists: deleting it stops its run. */
const CHECK_ROWS = 1000

/**
 * Runs the rows of a file that are not done yet, and uploads the report.
 *
 * @returns a note with the counts and the report's name
 * @throws {PermanentError} CSV_HEADER_INVALID or CSV_ENCODING_INVALID, after a report with the error is
 *   uploaded
 * @throws {CloudinaryError} a rate limit, an outage or a stop, after progress is saved
 */
export async function runFile(run: FileRun): Promise<string> {
  const { source, progress, cloudinary } = run
  const report = (stopped: string | undefined) =>
    uploadReport(cloudinary, {
      source,
      dialect: progress.checkpoint.dialect,
      outcomes: progress.outcomes(),
      stopped
    })
  if (!progress.checkpoint.ended) {
    try {
      await progress.end(await runRows(run))
    } catch (error) {
      if (error instanceof PermanentError) await report(error.message)
      if (!(error instanceof SourceGoneError)) throw error
      if (progress.isEmpty) return `skipped: ${error.message}`
      await progress.end(`${error.message}; the remaining rows were not run`)
    }
  }
  if (!progress.checkpoint.reported) {
    await report(progress.checkpoint.ended?.stopped)
    await progress.reported()
  }
  return noteOf(run)
}

function noteOf({ progress, source }: FileRun): string {
  const { ok, already, failed } = progress.counts
  const stopped = progress.checkpoint.ended?.stopped
  return [
    `${ok + already + failed} rows: ${ok} ok, ${already} already done, ${failed} failed`,
    ...(stopped === undefined ? [] : [`stopped: ${stopped}`]),
    `report: ${reportIdOf(source.publicId)}`
  ].join('; ')
}

/** @returns why it stopped before the end of the file; undefined if it did not */
async function runRows(run: FileRun): Promise<string | undefined> {
  const { source, progress, cloudinary, concurrency } = run
  const rows = rowsOf(contentOf(cloudinary, source), (dialect) => {
    progress.checkpoint.dialect = dialect
  })
  const batches = new Batches(run, await headerOf(rows))
  const { row, counts, isResumed } = progress
  run.log.info({ row, ...counts }, isResumed ? 'CSV file resumed' : 'CSV file started')
  const batch: Row[] = []
  let stopped: string | undefined
  for await (const row of rows) {
    if (row.isLast) stopped = `row ${row.row}: ${row.error}`
    else if (row.row > progress.row) batch.push(row)
    if (batch.length === concurrency) await batches.run(batch.splice(0))
  }
  await batches.run(batch)
  return stopped
}

async function headerOf(rows: AsyncGenerator<Row, void, void>): Promise<Header> {
  const { value: header } = await rows.next()
  if (!header) throw invalidHeader('the file is empty')
  if (header.error === NOT_UTF8) {
    throw new PermanentError(`file not run: ${NOT_UTF8}`, { code: 'CSV_ENCODING_INVALID' })
  }
  if (header.error !== undefined) throw invalidHeader(header.error)
  return readHeader(header.cells)
}

/** Runs batches of rows in order. */
class Batches {
  readonly #run: FileRun
  readonly #header: Header
  #isRepeated: boolean
  #checkedRow: number
  #logged: { row: number; at: number }

  constructor(run: FileRun, header: Header) {
    const { progress, clock } = run
    this.#run = run
    this.#header = header
    this.#isRepeated = progress.isResumed
    this.#checkedRow = progress.row
    this.#logged = { row: progress.row, at: clock() }
  }

  async run(batch: readonly Row[]): Promise<void> {
    const { progress, cloudinary, source, signal, random, sleep } = this.#run
    const lastRow = batch.at(-1)?.row
    if (lastRow === undefined) return
    signal.throwIfAborted()
    const check = () => requireCurrent(cloudinary, source)
    if (lastRow - this.#checkedRow >= CHECK_ROWS) {
      await check()
      this.#checkedRow = lastRow
    }
    try {
      await runBatch(this.#tasksOf(batch), {
        run: (task) => runTask(cloudinary, task),
        settle: (outcome) => progress.settle(outcome),
        check,
        sleep,
        random,
        isRepeated: this.#isRepeated
      })
    } catch (error) {
      // another worker may have the message now: a save would overwrite its progress
      if (signal.reason?.code !== 'LEASE_LOST') await progress.save()
      throw error
    }
    await progress.advance(lastRow)
    this.#isRepeated = false
    this.#logProgress()
  }

  /** Returns the rows to run. Settles invalid rows, and skips rows that are done. */
  #tasksOf(batch: readonly Row[]): Task[] {
    const { progress, operations } = this.#run
    return batch.flatMap((row) => {
      if (progress.has(row.row)) return []
      const read = readRow(row, this.#header, operations)
      if (!('error' in read)) return [read]
      progress.settle({ ...read, outcome: 'failed' })
      return []
    })
  }

  #logProgress(): void {
    const { progress, log, clock } = this.#run
    const { row, at } = this.#logged
    const seconds = (clock() - at) / 1000
    if (seconds * 1000 < PROGRESS_MS) return
    this.#logged = { row: progress.row, at: clock() }
    const rowsPerSecond = Math.round((progress.row - row) / seconds)
    log.info({ row: progress.row, ...progress.counts, rowsPerSecond }, 'CSV file in progress')
  }
}
