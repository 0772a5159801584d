import t from 'tap'
import { type CallFailure, CloudinaryError } from '../../../../app/cloudinary/cloudinary-error.ts'
import { type BatchTools, runBatch } from '../../../../app/processors/csv-bulk/csv-batch.ts'
import type { RowOutcome } from '../../../../app/processors/csv-bulk/csv-progress.ts'
import type { Task } from '../../../../app/processors/csv-bulk/csv-task.ts'
import type { RowResult } from '../../../../app/processors/csv-bulk/row-operations.ts'

const asset = (publicId: string) => ({ publicId, resourceType: 'image', deliveryType: 'upload' })
const tag = (row: number, publicId = `a${row}`): Task => ({
  row,
  operation: 'add_tags',
  asset: asset(publicId),
  tags: 'x'
})
const rename = (row: number, from: string, toPublicId: string): Task => ({
  row,
  operation: 'rename',
  asset: asset(from),
  toPublicId
})

const error = (code: string, fault: CallFailure) => new CloudinaryError(code, code.toLowerCase(), fault)
const BUSY = error('CLOUDINARY_UNAVAILABLE', { kind: 'retryable' })
const GONE = error('CLOUDINARY_NOT_FOUND', { kind: 'permanent' })
const REFUSED = error('CLOUDINARY_REJECTED', { kind: 'permanent' })
const LIMITED = error('CLOUDINARY_RATE_LIMITED', { kind: 'rate-limited', until: new Date(0) })
const ABORTED = error('CLOUDINARY_ABORTED', { kind: 'retryable' })

/** Tools that record outcomes and steps; `run` is the operation of a row. */
function tools(run: (task: Task) => RowResult | Promise<RowResult>, given: Partial<BatchTools> = {}) {
  const settled: RowOutcome[] = []
  const steps: string[] = []
  return {
    settled,
    steps,
    tools: {
      run: async (task: Task) => {
        steps.push(`row ${task.row}`)
        return run(task)
      },
      settle: (outcome: RowOutcome) => void settled.push(outcome),
      check: async () => void steps.push('check'),
      sleep: async (milliseconds: number) => void steps.push(`sleep ${milliseconds}`),
      random: () => 0.5,
      isRepeated: false,
      ...given
    }
  }
}

const OK: RowResult = { outcome: 'ok', error: '' }
const about = (row: number) => ({ row, operation: 'add_tags', publicId: `a${row}` })

t.test('runs rows in parallel and settles each when it ends', async (t) => {
  const latches = new Map([2, 3, 4].map((row) => [row, Promise.withResolvers<RowResult>()]))
  const { settled, steps, tools: given } = tools(({ row }) => latches.get(row)!.promise)
  const ended = runBatch([tag(2), tag(3), tag(4)], given)
  await new Promise(setImmediate)
  t.strictSame(steps, ['row 2', 'row 3', 'row 4'])
  latches.get(3)!.resolve({ outcome: 'already', error: 'the asset does not exist' })
  await new Promise(setImmediate)
  t.strictSame(settled, [{ ...about(3), outcome: 'already', error: 'the asset does not exist' }])
  latches.get(4)!.resolve(OK)
  latches.get(2)!.resolve(OK)
  await ended
  t.match(settled.slice(1), [
    { row: 4, outcome: 'ok', error: '' },
    { row: 2, outcome: 'ok' }
  ])
})

t.test('runs rows with the same asset in order', async (t) => {
  const running = new Set<string>()
  const order: number[] = []
  const { tools: given } = tools(async (task) => {
    const names = [task.asset.publicId, ...('toPublicId' in task ? [task.toPublicId] : [])]
    t.notOk(names.some((name) => running.has(name)))
    for (const name of names) running.add(name)
    await new Promise(setImmediate)
    for (const name of names) running.delete(name)
    order.push(task.row)
    return OK
  })
  await runBatch([tag(2, 'a'), rename(3, 'a', 'b'), tag(4, 'b'), tag(5, 'c')], given)
  t.strictSame(order, [2, 5, 3, 4])
})

t.test('fails only the row that Cloudinary rejects', async (t) => {
  const { settled, tools: given } = tools(({ row }) => {
    if (row === 3) throw REFUSED
    return OK
  })
  await runBatch([tag(2), tag(3), tag(4)], given)
  t.strictSame(
    settled.toSorted((a, b) => a.row - b.row),
    [
      { ...about(2), outcome: 'ok', error: '' },
      { ...about(3), outcome: 'failed', error: 'cloudinary_rejected' },
      { ...about(4), outcome: 'ok', error: '' }
    ]
  )
})

t.test('says that an interrupted row without an asset may have been done', async (t) => {
  for (const isRepeated of [true, false]) {
    const { settled, tools: given } = tools(
      ({ row }) => {
        throw row === 2 ? GONE : REFUSED
      },
      { isRepeated }
    )
    await runBatch([tag(2), tag(3)], given)
    t.equal(/; the run was interrupted here/.test(settled[0]!.error), isRepeated)
    t.equal(settled[1]!.error, 'cloudinary_rejected')
  }
})

t.test('retries a temporary failure, and the rows that wait for it', async (t) => {
  let failures = 2
  const {
    settled,
    steps,
    tools: given
  } = tools(({ row }) => {
    if (row === 2 && failures-- > 0) throw BUSY
    return OK
  })
  await runBatch([tag(2, 'a'), tag(3, 'a'), tag(4, 'b')], given)
  t.strictSame(steps, [
    ...['row 2', 'row 4'],
    ...['sleep 3000', 'check', 'row 2'],
    ...['sleep 6000', 'check', 'row 2'],
    ...['sleep 3000', 'check', 'row 3']
  ])
  t.match(settled, [
    { row: 4, outcome: 'ok' },
    { row: 2, outcome: 'ok' },
    { row: 3, outcome: 'ok' }
  ])
})

t.test('fails a row that keeps failing while Cloudinary answers', async (t) => {
  const {
    settled,
    steps,
    tools: given
  } = tools(({ row }) => {
    if (row < 4) throw BUSY
    return OK
  })
  await runBatch([tag(2), tag(3), tag(4)], given)
  t.equal(steps.filter((step) => step === 'row 2').length, 4)
  t.match(settled, [
    { row: 4, outcome: 'ok' },
    { row: 2, outcome: 'failed', error: 'cloudinary_unavailable; retried 3 times' },
    { row: 3, outcome: 'failed' }
  ])
})

t.test('throws an outage without failing any row', async (t) => {
  const { settled, tools: given } = tools(
    ({ row }) => {
      if (row === 3) return OK
      throw BUSY
    },
    {
      check: async () => {
        throw BUSY
      }
    }
  )
  await t.rejects(runBatch([tag(2), tag(3)], given), BUSY)
  t.match(settled, [{ row: 3 }])
  t.equal(settled.length, 1)
})

t.test('stops at a rate limit or an abort after running calls end', async (t) => {
  for (const interruption of [LIMITED, ABORTED]) {
    const latch = Promise.withResolvers<RowResult>()
    const {
      settled,
      steps,
      tools: given
    } = tools(({ row }) => {
      if (row === 2) throw interruption
      return row === 3 ? latch.promise : OK
    })
    const ended = runBatch([tag(2, 'a'), tag(3, 'b'), tag(4, 'b')], given)
    await new Promise(setImmediate)
    latch.resolve(OK)
    await t.rejects(ended, interruption)
    t.strictSame(steps, ['row 2', 'row 3'])
    t.match(settled, [{ row: 3 }])
  }
})

t.test('stops at a rate limit during a retry', async (t) => {
  const errors = [BUSY, LIMITED]
  const { settled, tools: given } = tools(() => {
    throw errors.shift()
  })
  await t.rejects(runBatch([tag(2)], given), LIMITED)
  t.strictSame(settled, [])
})

t.test('rethrows other errors', async (t) => {
  const { tools: given } = tools(() => {
    throw new TypeError('a mistake')
  })
  await t.rejects(runBatch([tag(2)], given), { message: 'a mistake' })
})
