import t, { type Test } from 'tap'
import {
  keepRunning,
  parseSchedules,
  runSchedules,
  type SchedulesOptions
} from '../../../../app/commands/schedules/schedules.ts'
import type { AssetEvent } from '../../../../app/ingest/event.ts'
import { schedule } from '../../../../app/listener.ts'
import { LOCAL_CLOUDINARY } from '../../../../app/testing/defaults.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import { QUEUE_NAME } from '../../../../dev/embedded-sqs.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { runHere } from '../../../support/commands.ts'
import { buildListener } from '../../../support/listener.ts'
import { collect } from '../../../support/operator.ts'

const NOW = Date.parse('2026-06-02T03:00:07.000Z')
const DAY_MS = 86_400_000
const daily = { cron: '0 3 * * *', expression: 'tags=leather' }
const SCHEDULES = [
  schedule({ name: 'leather', ...daily }),
  schedule({ name: 'here', ...daily, environments: ['demo'] }),
  schedule({ name: 'none', ...daily, expression: 'tags=none' })
]

/** Two clouds share a stand-in with one asset, `bag`. */
async function build(t: Test, changes: Partial<SchedulesOptions> = {}) {
  const time = { now: NOW }
  const { cloudinary, clients } = await buildCloudinary(t, {}, { clock: () => time.now })
  const sent: AssetEvent[] = []
  const { lines, print } = collect()
  const stopping = new AbortController()
  const options: SchedulesOptions = {
    schedules: SCHEDULES,
    environments: {
      cloudNames: () => ['demo', 'other'],
      get: (cloudName) => ({ ...LOCAL_CLOUDINARY, cloudName })
    },
    clients,
    state: memoryState().store.ofCommand('schedules'),
    sender: { store: async (events) => void sent.push(...events) },
    print,
    signal: stopping.signal,
    clock: () => time.now,
    ...changes
  }
  return {
    cloudinary,
    sent,
    lines,
    time,
    stopping,
    options,
    run: (...args: string[]) => runSchedules(parseSchedules(args), options)
  }
}

t.test('parses its options', async (t) => {
  const byDefault = {
    names: undefined,
    cloudNames: undefined,
    immediately: false,
    everyMs: undefined,
    dryRun: false
  }
  t.strictSame(parseSchedules([]), byDefault)
  t.strictSame(
    parseSchedules([
      ...['--schedule', 'a', '--schedule', 'b', '--environment', 'demo'],
      ...['--now', '--every', '60', '--dry-run']
    ]),
    { names: ['a', 'b'], cloudNames: ['demo'], immediately: true, everyMs: 60_000, dryRun: true }
  )
  for (const args of [['--every', '0'], ['--every', '1.5'], ['--every', '100000'], ['--all']])
    t.throws(() => parseSchedules(args), { code: 'USAGE' })
})

t.test('runs each schedule in its clouds, once for each slot', async (t) => {
  const { run, sent, lines, time } = await build(t)
  t.equal(await run(), 0)
  t.equal(lines[0], 'demo  leather  new; next at 2026-06-03T03:00:00.000Z')
  t.equal(lines.at(-1), '0 schedules due, 0 assets found, 0 sent.')
  time.now += DAY_MS
  t.equal(await run(), 0)
  t.strictSame(
    sent.map(({ environment, payload }) => `${environment} ${payload.schedule}`),
    ['demo leather', 'demo here', 'other leather']
  )
  t.match(lines.at(-2), 'none  due at 2026-06-03T03:00:00.000Z: 0 assets found')
  t.equal(lines.at(-1), '5 schedules due, 3 assets found, 3 sent.')
  t.equal(await run(), 0)
  t.match(lines.at(-2), 'not due; next at 2026-06-04T03:00:00.000Z')
  t.equal(sent.length, 3)
})

t.test('runs only what is named', async (t) => {
  const { run, sent } = await build(t)
  t.equal(await run('--now', '--schedule', 'leather', '--environment', 'demo'), 0)
  t.equal(sent.length, 1)
  await t.rejects(run('--schedule', 'lether'), { code: 'USAGE', message: /there are: leather, here, none/ })
  const none = await build(t, { schedules: [] })
  await t.rejects(none.run('--schedule', 'a'), { message: /there are: none/ })
  t.equal(await none.run(), 0)
  t.match(none.lines.at(-1), /Next: add schedule/)
})

t.test('a dry run prints what it would send', async (t) => {
  const { run, sent, lines } = await build(t)
  t.equal(await run('--now', '--dry-run', '--schedule', 'here'), 0)
  t.match(lines[0], /^would send {2}[0-9a-f]{32} {2}here {2}bag$/)
  t.strictSame(lines.slice(-2), [
    '1 schedule due, 1 asset found, nothing was sent.',
    'Next: run it without --dry-run.'
  ])
  t.strictSame(sent, [])
  await run('--dry-run')
  t.equal(lines.at(-1), '0 schedules due, 0 assets found, nothing was sent.')
})

t.test('reports a failure, and runs the other schedules', async (t) => {
  const { run, cloudinary, lines, sent } = await build(t)
  cloudinary.faults.add({ kind: 'status', status: 503, count: 1 })
  t.equal(await run('--now', '--environment', 'demo'), 1)
  t.match(lines[0], /^demo {2}leather {2}stopped: .*503/)
  t.match(lines.at(-1), /^Next: fix the errors/)
  t.equal(sent.length, 1)
})

t.test('reports wrong credentials', async (t) => {
  const { run, cloudinary, lines } = await build(t)
  cloudinary.faults.add({ kind: 'status', status: 401, count: 1 })
  t.equal(await run('--now', '--schedule', 'here'), 1)
  t.match(lines[0], /stopped: .*401/)
})

t.test('stops at the rate limit and at an interruption', async (t) => {
  const { run, cloudinary, lines, stopping } = await build(t)
  const until = new Date(NOW + 60_000)
  cloudinary.faults.add({ kind: 'rate_limit', until, count: 1 })
  t.equal(await run('--now', '--schedule', 'here'), 0)
  t.match(lines[0], /^demo {2}here {2}stopped: /)
  t.match(lines.at(-1), /^Next: run it again/)
  stopping.abort()
  t.equal(await run('--now'), 1)
  t.match(lines.at(-3), 'demo  leather  stopped: interrupted')
})

t.test('keeps running, and prints only what is due', async (t) => {
  const { options, time, lines, stopping, sent } = await build(t)
  const waits: number[] = []
  const selection = { ...parseSchedules(['--schedule', 'here', '--now']), everyMs: 60_000 }
  const exitCode = await keepRunning(selection, options, async (milliseconds) => {
    waits.push(milliseconds)
    if (waits.length === 2) time.now += DAY_MS
    if (waits.length === 3) stopping.abort()
  })
  t.equal(exitCode, 0)
  t.strictSame(waits, [60_000, 60_000, 60_000])
  t.strictSame(lines, [
    'schedules is ready',
    'demo  here  due at 2026-06-02T03:00:07.000Z: 1 asset found',
    'demo  here  due at 2026-06-03T03:00:00.000Z: 1 asset found'
  ])
  t.equal(sent.length, 2)
})

t.test('an interruption ends the pause', async (t) => {
  const { options, stopping } = await build(t, { schedules: [] })
  const running = keepRunning({ ...parseSchedules([]), everyMs: 3_600_000 }, options)
  setImmediate(() => stopping.abort())
  t.equal(await running, 0)
})

t.test('the command reads listener.config.ts', async (t) => {
  const { cloudinary, sqs } = await buildListener(t, [])
  await t.test('without schedules', async (t) => {
    const { exitCode, output } = await runHere('schedules')
    t.equal(exitCode, 0)
    t.match(output, ['0 schedules due, 0 assets found, 0 sent.', /^Next: add schedule/])
  })
  t.equal(cloudinary.calls.length, 0)
  t.equal(sqs.server.inspectQueue(QUEUE_NAME)?.messages.ready.length, 0)
})
