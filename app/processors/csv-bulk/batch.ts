import { CloudinaryError } from '../../cloudinary/fault.ts'
import type { Operation, Task } from './columns.ts'
import type { Done } from './operations.ts'
import type { Outcome } from './progress.ts'

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
  /** A row that keeps failing is at fault, whatever becomes of others. */
  isDelicate: boolean
}

/** How one try of a row ended: `held` was not tried, since a row before it about the same asset has not ended. */
type Ending =
  | { kind: 'settled'; task: Task; outcome: Outcome }
  | { kind: 'failing'; task: Task; error: CloudinaryError }
  | { kind: 'held'; task: Task }

/** How often a row is tried whose failure may pass, and the longest pause after the first, in milliseconds. */
const TRIES = 5
const FIRST_PAUSE_MS = 2000

/**
 * Runs rows side by side; those that name the same asset, one after the other. Each that has ended is settled at once. A
 * row whose failure may pass is tried five times, with pauses; between two tries Cloudinary is asked for something else,
 * so that a row that alone keeps failing neither opens the breaker nor passes for an outage: it is at fault, and failed.
 *
 * @throws {CloudinaryError} what it waits for: a rate limit, an outage, a stop. Rows that are not settled come again.
 */
export async function runBatch(tasks: readonly Task[], tools: BatchTools): Promise<void> {
  const answered = new Set<Operation>()
  let pending = tasks
  for (let tries = 1; pending.length > 0; tries++) {
    const { endings, interruption } = await runOnce(pending, tools)
    for (const ending of endings) {
      if (ending.kind !== 'settled') continue
      answered.add(ending.task.operation)
      tools.settle(ending.outcome)
    }
    if (interruption) throw interruption
    const failing = endings.filter((ending) => ending.kind === 'failing')
    pending = endings.filter(({ kind }) => kind !== 'settled').map(({ task }) => task)
    if (failing.length === 0) continue
    if (tries < TRIES) await tools.sleep(tools.random() * FIRST_PAUSE_MS * 2 ** (tries - 1))
    await tools.check()
    if (tries < TRIES) continue

    for (const { task, error } of failing) {
      const alike = failing.filter((other) => other.task.operation === task.operation)
      const isAtFault = tools.isDelicate || alike.length === 1 || answered.has(task.operation)
      // many of one kind, and none that goes through: it is not the rows
      if (!isAtFault) throw error
      tools.settle(failed(task, `${error.message}; tried ${TRIES} times`))
    }
    const given = new Set(failing.map(({ task }) => task))
    pending = pending.filter((task) => !given.has(task))
    tries = 0
  }
}

async function runOnce(
  tasks: readonly Task[],
  tools: BatchTools
): Promise<{ endings: Ending[]; interruption: CloudinaryError | undefined }> {
  let interruption: CloudinaryError | undefined
  const latest = new Map<string, Promise<Ending>>()
  const endings = tasks.map((task) => {
    const names = namesOf(task)
    const before = names.map((name) => latest.get(name))
    const ending = Promise.all(before).then(async (earlier): Promise<Ending> => {
      if (interruption || earlier.some((one) => one && one.kind !== 'settled')) return { kind: 'held', task }
      const ended = await runTask(task, tools)
      if (ended.kind === 'failing' && isInterruption(ended.error)) interruption ??= ended.error
      return ended
    })
    for (const name of names) latest.set(name, ending)
    return ending
  })
  return { endings: await Promise.all(endings), interruption }
}

async function runTask(task: Task, { run, isRepeated }: BatchTools): Promise<Ending> {
  try {
    const done = await run(task)
    const error = done.outcome === 'already' ? done.remark : ''
    return { kind: 'settled', task, outcome: { ...about(task), outcome: done.outcome, error } }
  } catch (error) {
    if (!(error instanceof CloudinaryError)) throw error
    if (error.fault.kind !== 'permanent') return { kind: 'failing', task, error }
    const mayBeDone = isRepeated && error.code === 'CLOUDINARY_NOT_FOUND'
    return { kind: 'settled', task, outcome: failed(task, error.message + (mayBeDone ? MAY_BE_DONE : '')) }
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
const isInterruption = ({ fault, code }: CloudinaryError) =>
  fault.kind === 'rate-limited' || code === 'CLOUDINARY_DOWN' || code === 'CLOUDINARY_ABORTED'

const about = ({ row, operation, asset: { publicId } }: Task) => ({ row, operation, publicId })

const failed = (task: Task, error: string): Outcome => ({ ...about(task), outcome: 'failed', error })
