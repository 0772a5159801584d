import { CloudinaryError } from '../../cloudinary/cloudinary-error.ts'
import type { Task } from './csv-columns.ts'
import type { Outcome } from './csv-progress.ts'
import type { Done } from './row-operations.ts'

export interface BatchTools {
  run: (task: Task) => Promise<Done>
  settle: (outcome: Outcome) => void
  /** Asks Cloudinary for what it has, which tells whether it answers. */
  check: () => Promise<void>
  sleep: (milliseconds: number) => Promise<void>
  /** A number from 0 up to 1. */
  random: () => number
  /** The rows may have been run before, by a worker that was interrupted. */
  isRepeated: boolean
}

/** How often a row is tried once more whose failure may pass. */
const RETRIES = 3

/** The least pause before the first retry, in milliseconds: longer than the breaker's first. Each later one is twice as long. */
const FIRST_PAUSE_MS = 2000

/**
 * Runs rows side by side; those that name the same asset, one after the other. Each that has ended is settled at once.
 * What is left, since its failure may pass, is then tried again row by row: before each try Cloudinary is asked for
 * something else, so that a row that alone keeps failing does not pass for an outage. It is at fault, and failed.
 *
 * @throws {CloudinaryError} what it waits for: a rate limit, an outage, a stop. Rows that are not settled come again.
 */
export async function runBatch(tasks: readonly Task[], tools: BatchTools): Promise<void> {
  for (const task of await runSideBySide(tasks, tools)) await insist(task, tools)
}

/** @returns those that are not settled */
async function runSideBySide(tasks: readonly Task[], tools: BatchTools): Promise<Task[]> {
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
  const ended = await Promise.all(settled)
  if (interruption) throw interruption
  return tasks.filter((_, index) => !ended[index])
}

async function insist(task: Task, tools: BatchTools, retry = 1): Promise<void> {
  await tools.sleep(FIRST_PAUSE_MS * 2 ** (retry - 1) * (1 + tools.random()))
  await tools.check()
  const error = await attempt(task, tools)
  if (!error) return
  if (isInterruption(error)) throw error
  if (retry < RETRIES) return insist(task, tools, retry + 1)
  tools.settle(failed(task, `${error.message}; tried again ${RETRIES} times`))
}

/** Settles a row, or returns why it is not: an error that may pass. */
async function attempt(
  task: Task,
  { run, settle, isRepeated }: BatchTools
): Promise<CloudinaryError | undefined> {
  try {
    const done = await run(task)
    settle({ ...about(task), outcome: done.outcome, error: done.outcome === 'already' ? done.remark : '' })
    return undefined
  } catch (error) {
    if (!(error instanceof CloudinaryError)) throw error
    if (error.failure.kind !== 'permanent') return error
    const mayBeDone = isRepeated && error.code === 'CLOUDINARY_NOT_FOUND'
    settle(failed(task, error.message + (mayBeDone ? MAY_BE_DONE : '')))
    return undefined
  }
}

const MAY_BE_DONE = '; the run was interrupted here, and the row, or one after it, may have been done before'

/** A rename names two assets. */
function namesOf(task: Task): string[] {
  const { publicId, resourceType, deliveryType } = task.asset
  const publicIds = task.operation === 'rename' ? [publicId, task.toPublicId] : [publicId]
  return publicIds.map((name) => `${resourceType}/${deliveryType}/${name}`)
}

/** What strikes all rows: they wait for it, and none is to blame. */
const isInterruption = ({ failure, code }: CloudinaryError) =>
  failure.kind === 'rate-limited' || code === 'CLOUDINARY_ABORTED'

const about = ({ row, operation, asset: { publicId } }: Task) => ({ row, operation, publicId })

const failed = (task: Task, error: string): Outcome => ({ ...about(task), outcome: 'failed', error })
