import t, { type Test } from 'tap'
import { type RunOptions, runSchedule } from '../../../../app/commands/schedules/run-schedule.ts'
import type { Progress } from '../../../../app/commands/schedules/schedule-progress.ts'
import { ListenerError } from '../../../../app/errors.ts'
import type { AssetEvent } from '../../../../app/ingest/event.ts'
import { schedule } from '../../../../app/listener.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'

const DAY_MS = 86_400_000
const NOW = Date.parse('2026-06-02T03:00:07.500Z')
const TODAY = '2026-06-02T03:00:00.000Z'
const YESTERDAY = '2026-06-01T03:00:00.000Z'
const NEVER = new AbortController().signal
const unused = schedule({ name: 'unused', cron: '0 3 * * *', expression: 'tags=old' })

/** Five assets with the tag `old`, in pages of two; the schedule is due daily at three. */
async function build(t: Test, changes: Partial<RunOptions> = {}) {
  const { cloudinary, clients } = await buildCloudinary(t, {}, { clock: () => NOW - 3 * DAY_MS })
  for (let index = 0; index < 5; index++) {
    cloudinary.as().upload({ publicId: `old-${index}`, resourceType: 'image', tags: ['old'] })
  }
  const state = memoryState().store.ofCommand('schedules')
  const stored: AssetEvent[] = []
  const stopping = new AbortController()
  const options: RunOptions = {
    cloudName: 'demo',
    schedule: unused,
    client: clients.for('demo', stopping.signal),
    state,
    sender: { store: async (events) => void stored.push(...events) },
    immediately: false,
    dryRun: false,
    onEvents: () => {},
    pageSize: 2,
    now: NOW,
    signal: stopping.signal,
    ...changes
  }
  const progress = () => state.get<Progress>('demo/unused')
  const names = () => stored.map(({ asset }) => asset?.publicId).toSorted()
  return {
    cloudinary,
    clients,
    stored,
    names,
    stopping,
    progress,
    ran: (through: string, running?: Progress['running']) =>
      state.set('demo/unused', { through, savedAt: NOW, ...(running && { running }) }),
    run: (more: Partial<RunOptions> = {}) => runSchedule({ ...options, ...more })
  }
}

t.test('a new schedule starts with its next slot', async (t) => {
  const { run, stored, progress, cloudinary } = await build(t)
  t.strictSame(await run(), { outcome: 'idle', isNew: true })
  t.match(await progress(), { through: '2026-06-02T03:00:07.500Z', savedAt: NOW })
  t.strictSame(await run({ now: NOW + 1000 }), { outcome: 'idle', isNew: false })
  t.equal(cloudinary.calls.length, 0)
  t.match(await run({ now: NOW + DAY_MS }), { outcome: 'done', slot: '2026-06-03T03:00:00.000Z', found: 5 })
  t.equal(stored.length, 5)
})

t.test('sends an event for each asset, once for all missed slots', async (t) => {
  const { run, ran, names, stored, progress, cloudinary } = await build(t)
  await ran('2026-05-01T00:00:00.000Z')
  t.strictSame(await run(), { outcome: 'done', slot: TODAY, found: 5 })
  t.strictSame(names(), ['old-0', 'old-1', 'old-2', 'old-3', 'old-4'])
  t.match(stored[0], {
    type: 'scheduled_search',
    environment: 'demo',
    occurredAt: TODAY,
    receivedAt: '2026-06-02T03:00:07.500Z',
    traceId: `Schedule=unused@${TODAY}`,
    payload: { tags: ['old'], schedule: 'unused', scheduled_at: TODAY }
  })
  t.equal(cloudinary.calls.length, 3, 'one call for each page')
  t.strictSame(await progress(), { through: TODAY, savedAt: NOW })
  t.strictSame(await run(), { outcome: 'idle', isNew: false })
  t.equal(stored.length, 5)
})

t.test('resumes at the page where it was interrupted, then runs the slot that is due', async (t) => {
  const { run, ran, names, stopping, progress, clients } = await build(t)
  await ran('2026-05-31T12:00:00.000Z')
  const yesterday = NOW - DAY_MS
  t.strictSame(await run({ now: yesterday, onEvents: () => stopping.abort() }), { outcome: 'interrupted' })
  t.equal(names().length, 2)
  t.match(await progress(), {
    through: '2026-05-31T12:00:00.000Z',
    running: { slot: YESTERDAY, cursor: /./ }
  })

  const again = { signal: NEVER, client: clients.for('demo', NEVER) }
  const { running } = (await progress())!
  t.strictSame(await run({ ...again, now: yesterday }), { outcome: 'done', slot: YESTERDAY, found: 3 })
  t.strictSame(names(), ['old-0', 'old-1', 'old-2', 'old-3', 'old-4'])
  t.strictSame(await progress(), { through: YESTERDAY, savedAt: yesterday })
  await ran('2026-05-31T12:00:00.000Z', running)
  t.strictSame(await run(again), { outcome: 'done', slot: TODAY, found: 8 })
  t.strictSame(await progress(), { through: TODAY, savedAt: NOW })
})

t.test('an interrupted last page counts as complete; an interrupted call does not', async (t) => {
  const { run, ran, stopping, cloudinary } = await build(t)
  await ran(YESTERDAY)
  cloudinary.faults.add({ kind: 'status', status: 503, count: 1 })
  t.match(await run({ onEvents: () => void t.fail('found assets') }), { outcome: 'failed', why: /503/ })
  t.match(await run({ pageSize: 500, onEvents: () => stopping.abort() }), { outcome: 'done', found: 5 })
  await ran(YESTERDAY)
  t.strictSame(await run(), { outcome: 'interrupted' }, 'after the signal has aborted')
})

t.test('a repeated page has the same ids', async (t) => {
  const { run, ran, stored } = await build(t)
  await ran(YESTERDAY)
  await run()
  await ran(YESTERDAY)
  await run({ now: NOW + 60_000 })
  t.equal(stored.length, 10)
  t.equal(new Set(stored.map(({ id }) => id)).size, 5)
})

t.test('starts again if Cloudinary refuses the cursor, but not after another error', async (t) => {
  const { run, ran, stored, cloudinary, progress } = await build(t)
  await ran(YESTERDAY, { slot: TODAY, cursor: 'outdated' })
  cloudinary.faults.add({ kind: 'status', status: 500, count: 1 })
  t.match(await run(), { outcome: 'failed', why: /500/ })
  t.match(await progress(), { running: { cursor: 'outdated' } })
  t.strictSame(await run(), { outcome: 'done', slot: TODAY, found: 5 })
  t.equal(stored.length, 5)
})

t.test('--now runs it whether or not it is due', async (t) => {
  const { run, ran, stored, progress } = await build(t)
  const slot = '2026-06-02T03:00:07.000Z'
  t.strictSame(await run({ immediately: true }), { outcome: 'done', slot, found: 5 })
  t.match(await progress(), { through: '2026-06-02T03:00:07.500Z' })
  await ran(TODAY)
  t.strictSame(await run({ immediately: true }), { outcome: 'done', slot, found: 5 })
  t.match(await progress(), { through: slot })
  t.equal(new Set(stored.map(({ id }) => id)).size, 5)
})

t.test('a dry run sends and saves nothing', async (t) => {
  const { run, ran, stored, progress } = await build(t, { dryRun: true })
  t.strictSame(await run(), { outcome: 'idle', isNew: true })
  t.equal(await progress(), undefined)
  await ran(YESTERDAY)
  const found: number[] = []
  t.match(await run({ onEvents: (events) => void found.push(events.length) }), { outcome: 'done', found: 5 })
  t.strictSame(found, [2, 2, 1])
  t.strictSame(stored, [])
  t.match(await progress(), { through: YESTERDAY })
})

t.test('stops before the reserved calls, and resumes', async (t) => {
  const { run, ran, names, cloudinary } = await build(t)
  await ran(YESTERDAY)
  cloudinary.faults.add({ kind: 'rate_limit', until: new Date(NOW + 60_000), count: 1 })
  t.match(await run(), { outcome: 'limited', why: /Rate Limit/i })
  t.strictSame(names(), [])
})

t.test('keeps progress that no slot renews', async (t) => {
  const { run, ran, progress } = await build(t)
  await ran(TODAY)
  const yearly = schedule({ ...unused, cron: '0 3 1 1 *' })
  await run({ schedule: yearly, now: NOW + 6 * DAY_MS })
  t.match(await progress(), { savedAt: NOW })
  await run({ schedule: yearly, now: NOW + 8 * DAY_MS })
  t.match(await progress(), { through: TODAY, savedAt: NOW + 8 * DAY_MS })
})

t.test('sends nothing where nothing is found, and reports what fails', async (t) => {
  const { run, ran } = await build(t)
  await ran(YESTERDAY)
  const store = async () => {
    throw new ListenerError('QUEUE_UNAVAILABLE', 'SQS did not store 2 of 2 events')
  }
  t.match(await run({ sender: { store } }), { outcome: 'failed', why: /SQS did not store/ })
  const none = schedule({ ...unused, expression: 'tags=none' })
  t.match(await run({ schedule: none, sender: { store } }), { outcome: 'done', found: 0 })
  await ran(YESTERDAY)
  const broken = schedule({
    ...unused,
    expression: () => {
      throw new Error('no expression')
    }
  })
  t.match(await run({ schedule: broken }), { outcome: 'failed', why: /no expression/ })
  const never = schedule({ ...unused, cron: '0 3 * * *' })
  t.match(await run({ schedule: { ...never, cron: '0 3 31 2 *' } }), { outcome: 'idle' })
})
