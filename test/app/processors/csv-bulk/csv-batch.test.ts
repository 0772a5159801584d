import t from 'tap'
import { type CallFailure, CloudinaryError } from '../../../../app/cloudinary/cloudinary-error.ts'
import { type BatchTools, runBatch } from '../../../../app/processors/csv-bulk/csv-batch.ts'
import type { Task } from '../../../../app/processors/csv-bulk/csv-columns.ts'
import type { Outcome } from '../../../../app/processors/csv-bulk/csv-progress.ts'
import type { Done } from '../../../../app/processors/csv-bulk/row-operations.ts'

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

/** What each row does, and what happened, in order. */
function tools(run: (task: Task) => Done | Promise<Done>, given: Partial<BatchTools> = {}) {
  const settled: Outcome[] = []
  const steps: string[] = []
  return {
    settled,
    steps,
    tools: {
      run: async (task: Task) => {
        steps.push(`row ${task.row}`)
        return run(task)
      },
      settle: (outcome: Outcome) => void settled.push(outcome),
      check: async () => void steps.push('check'),
      sleep: async (milliseconds: number) => void steps.push(`sleep ${milliseconds}`),
      random: () => 0.5,
      isRepeated: false,
      ...given
    }
  }
}

const OK: Done = { outcome: 'ok' }
const about = (row: number) => ({ row, operation: 'add_tags', publicId: `a${row}` })

t.test('rows run side by side, and each is settled when it has ended', async (t) => {
  const latches = new Map([2, 3, 4].map((row) => [row, Promise.withResolvers<Done>()]))
  const { settled, steps, tools: given } = tools(({ row }) => latches.get(row)!.promise)
  const ended = runBatch([tag(2), tag(3), tag(4)], given)
  await new Promise(setImmediate)
  t.strictSame(steps, ['row 2', 'row 3', 'row 4'])
  latches.get(3)!.resolve({ outcome: 'already', remark: 'there is no such asset' })
  await new Promise(setImmediate)
  t.strictSame(settled, [{ ...about(3), outcome: 'already', error: 'there is no such asset' }])
  latches.get(4)!.resolve(OK)
  latches.get(2)!.resolve(OK)
  await ended
  t.match(settled.slice(1), [
    { row: 4, outcome: 'ok', error: '' },
    { row: 2, outcome: 'ok' }
  ])
})

t.test('rows that name the same asset run one after the other', async (t) => {
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

t.test('a row that Cloudinary refuses fails alone', async (t) => {
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

t.test('where the run was interrupted, a row that finds nothing says that it may be done', async (t) => {
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

t.test('a failure that may pass is tried again, and those that wait for the row after it', async (t) => {
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

t.test('a row that keeps failing while Cloudinary answers is at fault, and the next goes on', async (t) => {
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
    { row: 2, outcome: 'failed', error: 'cloudinary_unavailable; tried again 3 times' },
    { row: 3, outcome: 'failed' }
  ])
})

t.test('while Cloudinary does not answer no row is to blame', async (t) => {
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

t.test('a rate limit or a stop ends the batch once what is under way has ended', async (t) => {
  for (const interruption of [LIMITED, ABORTED]) {
    const latch = Promise.withResolvers<Done>()
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

t.test('a rate limit ends it in a further try too', async (t) => {
  const errors = [BUSY, LIMITED]
  const { settled, tools: given } = tools(() => {
    throw errors.shift()
  })
  await t.rejects(runBatch([tag(2)], given), LIMITED)
  t.strictSame(settled, [])
})

t.test('a fault of our own is thrown as it is', async (t) => {
  const { tools: given } = tools(() => {
    throw new TypeError('a mistake')
  })
  await t.rejects(runBatch([tag(2)], given), { message: 'a mistake' })
})
