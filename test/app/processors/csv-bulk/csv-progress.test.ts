import { gzipSync } from 'node:zlib'
import { pino } from 'pino'
import t from 'tap'
import { ListenerError } from '../../../../app/errors.ts'
import { Progress, type RowOutcome } from '../../../../app/processors/csv-bulk/csv-progress.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'

const log = pino({ level: 'silent' })
const outcome = (row: number, more: Partial<RowOutcome> = {}): RowOutcome => ({
  row,
  operation: 'add_tags',
  publicId: `a${row}`,
  outcome: 'ok',
  error: '',
  ...more
})

function start() {
  const { state, entries } = memoryState()
  const abort = new AbortController()
  const pauses: number[] = []
  const open = () =>
    Progress.open({
      state,
      key: 'event-1',
      signal: abort.signal,
      log,
      sleep: async (milliseconds) => void pauses.push(milliseconds)
    })
  return { state, entries, abort, pauses, open }
}
const rowsOf = async (progress: Progress) =>
  (await Array.fromAsync(progress.outcomes())).map(({ row }) => row)

t.test('starts a new file after its header', async (t) => {
  const { open } = start()
  const progress = await open()
  t.equal(progress.row, 1)
  t.notOk(progress.isResumed)
  t.ok(progress.isEmpty)
  t.equal(progress.checkpoint.ended, undefined)
  t.notOk(progress.checkpoint.reported)
  t.strictSame(progress.counts, { ok: 0, already: 0, failed: 0 })
  t.strictSame(progress.checkpoint.dialect, { delimiter: ',', bom: false })
  t.strictSame(await rowsOf(progress), [])
})

t.test('resumes from the saved progress', async (t) => {
  const { open } = start()
  const progress = await open()
  progress.checkpoint.dialect = { delimiter: ';', bom: true }
  progress.settle(outcome(3))
  progress.settle(outcome(2, { outcome: 'failed', error: 'refused' }))
  await progress.advance(3)
  progress.settle(outcome(5, { outcome: 'already' }))
  await progress.save()
  progress.settle(outcome(4))

  const next = await open()
  t.ok(next.isResumed)
  t.notOk(next.isEmpty)
  t.equal(next.row, 3)
  t.strictSame(next.counts, { ok: 1, already: 1, failed: 1 })
  t.strictSame(next.checkpoint.dialect, { delimiter: ';', bom: true })
  t.strictSame(
    [2, 3, 4, 5, 6].map((row) => next.has(row)),
    [true, true, false, true, false]
  )
  t.strictSame(await rowsOf(next), [2, 3, 5])
})

t.test('marks the next run as resumed, even if nothing ran', async (t) => {
  const { open } = start()
  await open()
  t.ok((await open()).isResumed)
})

t.test('saves how a file ended and that it was reported', async (t) => {
  const { open } = start()
  const progress = await open()
  await progress.end()
  t.strictSame((await open()).checkpoint.ended, {})
  await progress.end('a quote is not closed')
  await progress.reported()
  const next = await open()
  t.strictSame(next.checkpoint.ended, { stopped: 'a quote is not closed' })
  t.ok(next.checkpoint.reported)
})

t.test('saves outcomes in chunks, so that each write stays small', async (t) => {
  const { open, entries } = start()
  const progress = await open()
  const rows = Array.from({ length: 1000 }, (_, index) => index + 2)
  let largest = 0
  for (const row of rows) {
    progress.settle(outcome(row))
    if (row % 20 === 0) await progress.advance(row)
    largest = Math.max(largest, entries.get('test/event-1')!.length)
  }
  await progress.advance(rows.at(-1)!)
  t.ok(entries.size >= 9, `${entries.size} values`)
  t.ok(largest < 130 * JSON.stringify(outcome(1000)).length, `${largest} characters`)
  t.strictSame(await rowsOf(await open()), rows)
})

t.test('overwrites a chunk whose checkpoint was not saved', async (t) => {
  const { state, open } = start()
  const progress = await open()
  for (let row = 2; row < 152; row++) progress.settle(outcome(row))
  const { set } = state
  state.set = async (key, value) => {
    if (key === 'event-1') throw new Error('the worker was killed')
    await set(key, value)
  }
  await t.rejects(progress.advance(151), /killed/)
  state.set = set
  const next = await open()
  t.equal(next.row, 1)
  for (let row = 2; row < 202; row++) next.settle(outcome(row))
  await next.advance(201)
  t.strictSame(
    await rowsOf(await open()),
    Array.from({ length: 200 }, (_, index) => index + 2)
  )
})

t.test('keeps the largest outcomes within the limit of a value', async (t) => {
  const { open, entries } = start()
  const progress = await open()
  // random text does not compress
  const noise = (length: number) =>
    Array.from({ length }, () => String.fromCharCode(0x4e00 + Math.floor(Math.random() * 20_000))).join('')
  for (let row = 2; row < 201; row++) {
    progress.settle(outcome(row, { publicId: noise(300), operation: noise(30), error: noise(400) }))
  }
  await progress.save()
  const { length } = gzipSync(entries.get('test/event-1')!)
  t.ok(length < 300 * 1024, `${length} bytes`)
  const [first] = await Array.fromAsync(progress.outcomes())
  t.match([first?.publicId.length, first?.operation.length, first?.error.length], [255, 20, 300])
})

t.test('does not split a character when it cuts text', async (t) => {
  const progress = await start().open()
  progress.settle(outcome(2, { error: `${'x'.repeat(299)}😀` }))
  const [first] = await Array.fromAsync(progress.outcomes())
  t.equal(first?.error, `${'x'.repeat(299)}\uFFFD`)
})

t.test('retries while the journal is unavailable', async (t) => {
  const { state, pauses, open } = start()
  const { set } = state
  let failures = 3
  state.set = async (key, value) => {
    if (failures-- > 0) throw new ListenerError('JOURNAL_UNAVAILABLE', 'not now')
    await set(key, value)
  }
  await open()
  t.strictSame(pauses, [1000, 1000, 1000])
  t.ok((await open()).isResumed)
})

t.test('throws permanent errors, and temporary ones after an abort', async (t) => {
  const { state, abort, open } = start()
  state.set = async () => {
    throw new ListenerError('STATE_TOO_LARGE', 'too large')
  }
  await t.rejects(open(), { code: 'STATE_TOO_LARGE' })
  state.set = async () => {
    throw new ListenerError('JOURNAL_UNAVAILABLE', 'not now')
  }
  abort.abort()
  await t.rejects(open(), { code: 'JOURNAL_UNAVAILABLE' })
})

t.test('throws if the outcomes have expired', async (t) => {
  const { state, open } = start()
  const progress = await open()
  for (let row = 2; row < 102; row++) progress.settle(outcome(row))
  await progress.advance(101)
  await state.delete('event-1/0')
  await t.rejects(rowsOf(progress), { name: 'PermanentError', code: 'CSV_OUTCOMES_FORGOTTEN' })
})
