import { CloudinaryError } from '../../cloudinary/cloudinary-error.ts'
import type { RowOutcome } from './csv-progress.ts'
import type { Task } from './csv-task.ts'
import type { RowResult } from './row-operations.ts'

export interface BatchTools {
  run: (task: Task) => Promise<RowResult>
  settle: (outcome: RowOutcome) => void
  /** Makes another call to Cloudinary. Throws if Cloudinary is down. */
  check: () => Promise<void>
  sleep: (milliseconds: number) => Promise<void>
  /** A number from 0 up to 1. */
  random: () => number
  /** True if an interrupted worker may have run these rows before. */
  isRepeated: boolean
}

/** Maximum retries of a row after a temporary failure. */
const RETRIES = 3

/**
 * Lower bound of the first retry delay, in milliseconds: longer than the breaker's first pause. Doubles with
 * each retry.
 */
const FIRST_PAUSE_MS = 2000

/**
 * Runs rows in parallel; rows that name the same asset run in order. Then retries rows that failed
 * temporarily, one at a time. Each retry starts with another call to Cloudinary, to tell an outage from a row
 * that keeps failing by itself: the outage is thrown, the row fails.
 *
 * @throws {CloudinaryError} a rate limit, an outage or a stop. Rows that are not settled run again on
 *   redelivery.
 */
export async function runBatch(tasks: readonly Task[], tools: BatchTools): Promise<void> {
  for (const task of await runInParallel(tasks, tools)) await retryRow(task, tools)
}

/** @returns the rows that are not settled */
async function runInParallel(tasks: readonly Task[], tools: BatchTools): Promise<Task[]> {
  let interruption: CloudinaryError | undefined
  const latest = new Map<string, Promise<boolean>>()
  const settled = tasks.map((task) => {
    const names = namesOf(task)
    const before = names.map((name) => latest.get(name))
    const isSettled = Promise.all(before).then(async (earlier) => {
      if (interruption || earlier.includes(false)) return false
      const error = await attempt(task, tools)
      if (error && isInterruption(error)) interruption ??= error
      return error === undefined
    })
    for (const name of names) latest.set(name, isSettled)
    return isSettled
  })
  const results = await Promise.all(settled)
  if (interruption) throw interruption
  return tasks.filter((_, index) => !results[index])
}

async function retryRow(task: Task, tools: BatchTools, retry = 1): Promise<void> {
  await tools.sleep(FIRST_PAUSE_MS * 2 ** (retry - 1) * (1 + tools.random()))
  await tools.check()
  const error = await attempt(task, tools)
  if (!error) return
  if (isInterruption(error)) throw error
  if (retry < RETRIES) return retryRow(task, tools, retry + 1)
  tools.settle(failed(task, `${error.message}; retried ${RETRIES} times`))
}

/** Settles a row, or returns a temporary error. */
async function attempt(
  task: Task,
  { run, settle, isRepeated }: BatchTools
): Promise<CloudinaryError | undefined> {
  try {
    settle({ ...about(task), ...(await run(task)) })
    return undefined
  } catch (error) {
    if (!(error instanceof CloudinaryError)) throw error
    if (error.failure.kind !== 'permanent') return error
    const mayBeDone = isRepeated && error.code === 'CLOUDINARY_NOT_FOUND'
    settle(failed(task, error.message + (mayBeDone ? MAY_BE_DONE : '')))
    return undefined
  }
}

const MAY_BE_DONE = '; the run was interrupted here, so this row or a later one may have been done already'

/** Returns the assets that a row names: a rename names two. */
function namesOf(task: Task): string[] {
  const { publicId, resourceType, deliveryType } = task.asset
  const publicIds = task.operation === 'rename' ? [publicId, task.toPublicId] : [publicId]
  return publicIds.map((name) => `${resourceType}/${deliveryType}/${name}`)
}

/** Returns whether an error affects every row: then no row is marked as failed. */
const isInterruption = ({ failure, code }: CloudinaryError) =>
  failure.kind === 'rate-limited' || code === 'CLOUDINARY_ABORTED'

const about = ({ row, operation, asset: { publicId } }: Task) => ({ row, operation, publicId })

const failed = (task: Task, error: string): RowOutcome => ({ ...about(task), outcome: 'failed', error })
