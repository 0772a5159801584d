import { parse } from 'csv-parse/sync'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { ListenerError } from '../../../../app/errors.ts'
import { Progress, type RowOutcome } from '../../../../app/processors/csv-bulk/csv-progress.ts'
import { type FileRun, runFile } from '../../../../app/processors/csv-bulk/csv-run.ts'
import { OPERATIONS } from '../../../../app/processors/csv-bulk/csv-task.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import { Recorder } from '../../../../dev/cloudinary/recorder.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const RAW = { resourceType: 'raw' }
const FILE = { publicId: 'bulk/june.csv', ...RAW }
const HEADER = 'operation,public_id,tags'

/** Uploads a file of rows, and the assets `a2`, `a3`, … that they name. `run` can be called repeatedly. */
async function start(t: Test, rows: string[], { header = HEADER, count = 10, concurrency = 2 } = {}) {
  const { cloudinary, clients } = await buildCloudinary(t)
  for (let row = 2; row < count + 2; row++) cloudinary.as().upload({ publicId: `a${row}` })
  const upload = (content: string | Buffer) => ({
    publicId: FILE.publicId,
    deliveryType: 'upload',
    version: cloudinary.as().upload({ ...FILE, content }).asset.version
  })
  const source = upload([header, ...rows].join('\n'))
  const { state, entries } = memoryState()
  const lines: Record<string, unknown>[] = []
  const log = pino({ base: {} }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const abort = new AbortController()
  const settled = new Recorder<RowOutcome>(Number.POSITIVE_INFINITY)
  const run = async (given: Partial<FileRun> = {}) => {
    const sleep = async () => {}
    const progress = await Progress.open({ state, key: 'event-1', signal: abort.signal, log, sleep })
    const settle = progress.settle.bind(progress)
    progress.settle = (outcome) => {
      settle(outcome)
      settled.add(outcome)
      settled.settle(outcome)
    }
    return runFile({
      source,
      progress,
      cloudinary: clients.for('demo', abort.signal),
      log,
      signal: abort.signal,
      concurrency,
      operations: OPERATIONS,
      clock: Date.now,
      random: Math.random,
      sleep,
      ...given
    })
  }
  const reportText = () => cloudinary.assets.find('bulk/june.report.csv', RAW)?.content?.toString()
  return {
    cloudinary,
    state,
    entries,
    lines,
    abort,
    settled,
    run,
    upload,
    /** Ends the outage, and closes the circuit breaker. */
    recover: () => {
      cloudinary.faults.clear()
      clients.breaker('demo').succeeded()
    },
    report: (): Record<string, string>[] => parse(reportText() ?? '', { columns: true }),
    /** Assets of successful tag calls. */
    tagged: () =>
      cloudinary.calls
        .filter(({ action, status }) => action === 'tags' && status === 200)
        .map(({ publicIds }) => publicIds[0]),
    checkpoint: () => JSON.parse(entries.get('test/event-1') ?? '{}')
  }
}
const tagRows = (count: number) => Array.from({ length: count }, (_, index) => `add_tags,a${index + 2},x`)
const LIMITED = { kind: 'rate_limit', until: new Date(Date.now() + 3_600_000) } as const

t.test('runs rows, and reports their outcomes', async (t) => {
  const { run, report, tagged, lines } = await start(t, [
    ...tagRows(3),
    '',
    ' , ,',
    'add_tags,nobody,x',
    'explode,a2,x',
    '"add_tags"x,a2,x'
  ])
  t.equal(await run(), '6 rows: 3 ok, 0 already done, 3 failed; report: bulk/june.report.csv')
  t.strictSame(tagged().toSorted(), ['a2', 'a3', 'a4', 'nobody'], 'invalid rows make no call')
  t.match(report(), [
    { row: '2', outcome: 'ok' },
    { row: '3', outcome: 'ok' },
    { row: '4', outcome: 'ok' },
    { row: '7', public_id: 'nobody', outcome: 'failed', error: /^add tag: / },
    { row: '8', operation: 'explode', outcome: 'failed', error: /^operation must be/ },
    { row: '9', operation: '', outcome: 'failed', error: /closing quote/ }
  ])
  t.match(lines, [{ msg: 'CSV file started', row: 1 }])
})

t.test('logs progress every ten seconds', async (t) => {
  const { run, lines } = await start(t, tagRows(6))
  let now = 0
  const clock = () => {
    now += 5000
    return now
  }
  await run({ clock })
  t.match(
    lines.filter(({ msg }) => msg === 'CSV file in progress'),
    [{ row: 5, ok: 4, already: 0, failed: 0, rowsPerSecond: 0 }]
  )
})

t.test('reports an invalid header without running any row', async (t) => {
  const headers: [string, RegExp][] = [
    ['', /empty/],
    ['operation,public_id,colour', /"colour"/],
    ['operation,"public_id', /quote not closed/]
  ]
  for (const [header, reason] of headers) {
    const { run, report, tagged } = await start(t, header ? tagRows(2) : [], { header })
    await t.rejects(run(), { name: 'PermanentError', code: 'CSV_HEADER_INVALID', message: reason })
    t.match(report(), [{ outcome: 'stopped', error: reason }])
    t.strictSame(tagged(), [])
  }
})

t.test('rejects a header in another encoding', async (t) => {
  const { cloudinary, run, report, tagged, upload } = await start(t, [])
  const content = Buffer.from(`${HEADER},context.größe\nadd_tags,a2,x,`, 'latin1')
  await t.rejects(run({ source: upload(content) }), {
    name: 'PermanentError',
    code: 'CSV_ENCODING_INVALID',
    message: /CSV UTF-8/
  })
  t.match(report(), [{ outcome: 'stopped', error: /not UTF-8/ }])
  t.strictSame(tagged(), [])
  t.equal(cloudinary.assets.find('a2')?.context.größe, undefined)
})

t.test("runs a file in a spreadsheet's format", async (t) => {
  const { cloudinary, run, upload, report } = await start(t, [])
  const lines = [
    'sep=;\r\n',
    '\r\n',
    'operation;public_id;"context.a;b";context.note;;\n',
    'set_context;a2;A-1;B-1\r\n',
    'set_context;a3;A-2;"B-2\r\n";;;\r',
    ';;;;;\r\r\n',
    'set_context;a4;;größe\r\r\n'
  ]
  const source = upload(Buffer.from(`\uFEFF${lines.join('')}`, 'utf16le'))
  t.match(await run({ source }), /^3 rows: 3 ok, 0 already done, 0 failed/)
  t.strictSame(cloudinary.assets.find('a2')?.context, { 'a;b': 'A-1', note: 'B-1' })
  t.strictSame(cloudinary.assets.find('a3')?.context, { 'a;b': 'A-2', note: 'B-2' })
  t.strictSame(cloudinary.assets.find('a4')?.context, { note: 'größe' })
  t.strictSame(Object.values(report()).length, 3)
})

t.test('runs the rows before a quote that is not closed', async (t) => {
  const { run, report, tagged } = await start(t, [...tagRows(3), 'add_tags,"a5,x', ...tagRows(2)])
  t.match(await run(), /^3 rows: 3 ok, .*; stopped: row 5: .*; report/)
  t.strictSame(tagged().toSorted(), ['a2', 'a3', 'a4'])
  t.match(report().at(-1), { row: '', outcome: 'stopped', error: /^row 5: / })
})

t.test('resumes after a rate limit', async (t) => {
  const { cloudinary, run, recover, report, tagged, checkpoint, lines } = await start(t, tagRows(7))
  cloudinary.faults.add({ ...LIMITED, publicId: 'a5' })
  await t.rejects(run(), { code: 'CLOUDINARY_RATE_LIMITED' })
  t.strictSame(tagged().toSorted(), ['a2', 'a3', 'a4'])
  t.match(checkpoint(), { row: 3, recent: [{ row: 2 }, { row: 3 }, { row: 4 }] })
  recover()
  t.match(await run(), /^7 rows: 7 ok/)
  t.strictSame(tagged().toSorted(), ['a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8'])
  t.strictSame(
    report().map(({ row }) => row),
    ['2', '3', '4', '5', '6', '7', '8']
  )
  t.match(
    lines.filter(({ msg }) => msg === 'CSV file resumed'),
    [{ row: 3, ok: 3 }]
  )
})

t.test('fails no row during an outage', async (t) => {
  const { cloudinary, run, recover, tagged } = await start(t, tagRows(4))
  cloudinary.faults.add({ kind: 'status', status: 503, when: () => tagged().length >= 2 })
  await t.rejects(run(), { code: 'CLOUDINARY_UNAVAILABLE' })
  recover()
  t.match(await run(), /^4 rows: 4 ok/)
  t.equal(tagged().length, 4)
})

t.test('fails a row that keeps failing by itself', async (t) => {
  const { cloudinary, run, report } = await start(t, tagRows(4))
  cloudinary.faults.add({ kind: 'status', status: 500, message: 'broken', publicId: 'a3' })
  t.match(await run(), /^4 rows: 3 ok, 0 already done, 1 failed/)
  t.match(report()[1], { row: '3', outcome: 'failed', error: 'add tag: 500 broken; retried 3 times' })
})

t.test('stops when the file is deleted', async (t) => {
  // the check runs every 1,000 rows, so use rows that fail without a call
  const { cloudinary, state, run, report } = await start(t, Array(2500).fill('explode,a2,'), {
    concurrency: 100
  })
  const { set } = state
  state.set = async (key, value) => {
    if ((value as { row?: number }).row === 1501) cloudinary.as().destroy(FILE.publicId, RAW)
    await set(key, value)
  }
  t.match(await run(), /^1900 rows: .* 1900 failed; stopped: .*deleted/)
  t.equal(report().length, 1901)
})

t.test('stops when the file is deleted while a row is retried', async (t) => {
  const { cloudinary, run, tagged } = await start(t, tagRows(4))
  cloudinary.faults.add({ kind: 'status', status: 500, publicId: 'a2' })
  const sleep = async () => void cloudinary.as().destroy(FILE.publicId, RAW)
  t.match(await run({ sleep }), /^1 rows: 1 ok, .*; stopped: .*deleted/)
  t.strictSame(tagged(), ['a3'])
})

t.test('skips a file that was replaced before any row ran', async (t) => {
  const { cloudinary, run, report } = await start(t, tagRows(2))
  cloudinary.as().upload({ ...FILE, content: HEADER })
  t.match(await run(), /^skipped: .*uploaded again/)
  t.strictSame(report(), [])
})

t.test('uploads a missing report without running rows again', async (t) => {
  const { cloudinary, run, report, tagged } = await start(t, tagRows(2))
  cloudinary.faults.add({ kind: 'status', status: 503, action: 'upload' })
  await t.rejects(run(), { code: 'CLOUDINARY_UNAVAILABLE' })
  cloudinary.faults.clear()
  const note = await run()
  t.match(note, /^2 rows: 2 ok/)
  t.equal(report().length, 2)
  const calls = cloudinary.calls.length
  t.equal(await run(), note, 'nothing left to do')
  t.equal(cloudinary.calls.length, calls)
  t.equal(tagged().length, 2)
})

t.test('saves progress when stopped, unless the lease is lost', async (t) => {
  for (const code of ['STOPPED', 'LEASE_LOST']) {
    const { cloudinary, run, abort, settled, checkpoint } = await start(t, tagRows(4))
    cloudinary.faults.add({ kind: 'hang', publicId: 'a4' })
    const ended = run()
    await cloudinary.called(({ fault }) => fault === 'hang')
    await settled.when(({ row }) => row === 5)
    abort.abort(new ListenerError(code, 'now'))
    await t.rejects(ended, { code: 'CLOUDINARY_ABORTED' })
    t.strictSame(
      checkpoint().recent.map(({ row }: { row: number }) => row),
      code === 'STOPPED' ? [2, 3, 5] : [2, 3]
    )
    const calls = cloudinary.calls.length
    await t.rejects(run(), { code: 'CLOUDINARY_ABORTED' })
    t.equal(cloudinary.calls.length, calls, 'starts nothing')
  }
})
