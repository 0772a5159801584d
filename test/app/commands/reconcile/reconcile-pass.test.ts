import t, { type Test } from 'tap'
import { CHANGE_KINDS, type ChangeKind } from '../../../../app/commands/reconcile/change-kinds.ts'
import { type PassOptions, runPass } from '../../../../app/commands/reconcile/reconcile-pass.ts'
import { ReconcileReport } from '../../../../app/commands/reconcile/reconcile-report.ts'
import { Watermarks } from '../../../../app/commands/reconcile/search-windows.ts'
import { ListenerError } from '../../../../app/errors.ts'
import type { AssetEvent } from '../../../../app/ingest/event.ts'
import { memoryState } from '../../../../app/testing/memory-state.ts'
import { buildCloudinary } from '../../../support/cloudinary.ts'
import { collect } from '../../../support/operator.ts'
import { EVENT_CONTEXT, METADATA, TAGS, UPLOAD } from './fixtures.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const START = Date.parse('2026-06-01T12:00:00.000Z')

/** Runs passes over a Cloudinary with ten uploads, a minute apart, none of them notified. */
async function build(t: Test, { adminCallsPerHour }: { adminCallsPerHour?: number } = {}) {
  let now = START
  const { cloudinary, clients } = await buildCloudinary(
    t,
    {},
    { clock: () => now, ...(adminCallsPerHour !== undefined && { adminCallsPerHour }) }
  )
  for (let index = 0; index < 9; index++) {
    now += MINUTE_MS
    cloudinary.as().upload({ publicId: `asset-${index}`, resourceType: 'image' })
  }
  const journal = new Set<string>()
  const sent: AssetEvent[] = []
  const { state } = memoryState()
  const { lines, print } = collect()
  const pass = (changes: Partial<PassOptions> = {}) => {
    now += HOUR_MS
    const { dryRun = false, signal = new AbortController().signal } = changes
    return runPass({
      ...EVENT_CONTEXT,
      notified: { load: async () => {}, of: () => [] },
      history: async () => () => [],
      knownEvents: async (ids) => new Set(ids.filter((id) => journal.has(id))),
      client: clients.for('demo', signal),
      kinds: [UPLOAD],
      watermarks: new Watermarks(state, 'demo'),
      sender: {
        store: async (events) => {
          sent.push(...events)
          for (const { id } of events) journal.add(id)
        }
      },
      report: new ReconcileReport({ print, dryRun }),
      since: undefined,
      startedThrough: async () => now,
      graceMs: 45 * MINUTE_MS,
      dryRun,
      now,
      pageSize: 4,
      signal,
      ...changes
    })
  }
  const marks = async () =>
    (await state.get('demo')) as Record<string, { through: string; complete: boolean }>
  const searches = () => cloudinary.calls.filter(({ action }) => action === 'search').length
  const setClock = (time: number) => {
    now = time
  }
  return { cloudinary, pass, sent, lines, marks, searches, journal, setClock }
}

const names = (events: readonly AssetEvent[]) => events.map(({ asset }) => asset?.publicId)

t.test('sends missing events in order of time, once', async (t) => {
  const { pass, sent, marks, searches } = await build(t)
  t.strictSame(await pass(), { outcome: 'done' })
  t.strictSame(names(sent), ['bag', ...Array.from({ length: 9 }, (_, index) => `asset-${index}`)])
  t.equal(searches(), 3)
  t.match(await marks(), { upload: { through: '2026-06-01T12:24:00.000Z', complete: true } })
  t.strictSame(await pass(), { outcome: 'done' })
  t.equal(sent.length, 10)
  t.equal(searches(), 4)
})

t.test('sends and saves nothing in a dry run', async (t) => {
  const { pass, sent, marks, lines } = await build(t)
  t.strictSame(await pass({ dryRun: true }), { outcome: 'done' })
  t.strictSame(sent, [])
  t.equal(await marks(), undefined)
  t.equal(lines.filter((line) => line.startsWith('would send')).length, 10)
})

t.test('searches each kind with its own watermark, and makes no call if nothing is new', async (t) => {
  const { cloudinary, pass, sent, marks, searches } = await build(t)
  cloudinary.ui().setMetadata('asset-3', {})
  cloudinary.ui().addTags('asset-3', ['x'])
  t.strictSame(await pass({ kinds: CHANGE_KINDS, pageSize: undefined }), { outcome: 'done' })
  t.equal(searches(), 4)
  t.strictSame(
    Object.keys(await marks()),
    CHANGE_KINDS.map(({ type }) => type)
  )
  t.equal(sent.length, 11)
  t.strictSame(await pass({ kinds: CHANGE_KINDS, graceMs: 2 * HOUR_MS }), { outcome: 'done' })
  t.equal(searches(), 4)
})

t.test('skips changes while it is unknown how far workers have come', async (t) => {
  const { pass, marks, lines } = await build(t)
  const asked: number[] = []
  const startedThrough = async (since: number) => {
    asked.push(since)
    return undefined
  }
  t.strictSame(await pass({ kinds: [TAGS, UPLOAD], startedThrough }), { outcome: 'done' })
  t.strictSame(Object.keys(await marks()), ['upload'])
  t.match(lines[0], /resource_tags_changed left for the next pass/)
  t.strictSame(asked, [START + 69 * MINUTE_MS - 24 * HOUR_MS])
})

t.test('does not move the watermark past a gap', async (t) => {
  const { pass, sent, marks } = await build(t)
  await pass({ graceMs: 67 * MINUTE_MS })
  t.strictSame(names(sent.splice(0)), ['bag', 'asset-0', 'asset-1'])
  await pass({ since: START + 8 * MINUTE_MS })
  t.strictSame(names(sent.splice(0)), ['asset-7', 'asset-8'])
  t.match(await marks(), { upload: { through: '2026-06-01T12:02:00.000Z' } })
  await pass({ since: START })
  t.strictSame(names(sent), ['asset-2', 'asset-3', 'asset-4', 'asset-5', 'asset-6'])
})

t.test('keeps the watermark before an undecided change, and decides it in a later pass', async (t) => {
  const { cloudinary, pass, sent, marks, lines } = await build(t)
  for (const publicId of ['asset-3', 'asset-5']) cloudinary.ui().addTags(publicId, ['x'])
  const [changedAt, later] = ['asset-3', 'asset-5'].map(
    (publicId) => cloudinary.assets.find(publicId)!.lastUpdated.tagsUpdatedAt!
  )
  t.equal(changedAt, later)
  let openAt: number | undefined = changedAt! + 4 * HOUR_MS
  const history: PassOptions['history'] = async () => (asset) =>
    asset.publicId === 'asset-3' && openAt !== undefined
      ? [{ type: 'upload', occurredAt: START, own: false, runs: [], openAt }]
      : []
  for (const times of [1, 2]) {
    t.strictSame(await pass({ kinds: [TAGS], history }), { outcome: 'done' })
    t.strictSame(names(sent), ['asset-5'], 'once')
    t.match(await marks(), {
      resource_tags_changed: { through: new Date(changedAt!).toISOString(), complete: true }
    })
    const left = lines.filter((line) => line.includes('1 change left for the next pass'))
    t.equal(left.length, times)
  }
  openAt = undefined
  await pass({ kinds: [TAGS], history })
  t.strictSame(names(sent), ['asset-5', 'asset-3'])
  t.ok(Date.parse((await marks()).resource_tags_changed!.through) > changedAt!)
})

t.test('sends the changes of an asset in sequence, once', async (t) => {
  const { cloudinary, pass, sent, setClock } = await build(t)
  setClock(START + 10 * MINUTE_MS)
  cloudinary.ui().addTags('asset-8', ['x'])
  cloudinary.ui().changeContext('asset-8', () => ({ alt: 'x' }))
  const stored: string[][] = []
  const sender: PassOptions['sender'] = {
    store: async (events) => {
      stored.push(events.map(({ type, asset }) => `${asset!.publicId} ${type}`))
      sent.push(...events)
    }
  }
  // no worker has journaled them yet
  await pass({ kinds: CHANGE_KINDS, pageSize: undefined, sender })
  t.strictSame(
    stored.flat().filter((name) => name.startsWith('asset-8')),
    ['asset-8 upload', 'asset-8 resource_tags_changed', 'asset-8 resource_context_changed']
  )
  for (const together of stored) {
    t.equal(new Set(together.map((name) => name.split(' ')[0])).size, together.length)
  }
})

t.test('decides suspected changes in batches of an hour at most', async (t) => {
  const { cloudinary, pass, sent, marks, setClock } = await build(t)
  const batches: number[] = []
  const history: PassOptions['history'] = async (assets) => {
    if (assets.length > 0) batches.push(assets.length)
    return () => []
  }
  for (let index = 0; index < 9; index++) {
    setClock(START + (index + 1) * 15 * MINUTE_MS)
    cloudinary.ui().addTags(`asset-${index}`, ['x'])
  }
  const options = { kinds: [TAGS], history, pageSize: 2 }
  await pass(options)
  t.strictSame(batches, [6, 3])
  t.equal(sent.length, 9)

  await t.test('sends what it found before a search failed', async (t) => {
    sent.splice(0)
    let searches = 0
    cloudinary.faults.add({ kind: 'status', status: 503, when: () => ++searches > 1 })
    const again = { ...options, since: START, knownEvents: async () => new Set<string>() }
    t.match(await pass(again), { outcome: 'failed' })
    t.equal(sent.length, 2)
    t.match(await marks(), { resource_tags_changed: { complete: false } })
  })
})

t.test("stops before the hour's calls are spent, and resumes in the next pass", async (t) => {
  const { pass, sent, marks, searches } = await build(t, { adminCallsPerHour: 3 })
  const limited = await pass({ pageSize: 2 })
  t.match(limited, {
    outcome: 'limited',
    until: new Date('2026-06-01T14:00:00.000Z'),
    why: /0 of the 3 Admin API calls/
  })
  t.equal(searches(), 3)
  t.equal(sent.length, 6)
  t.match(await marks(), { upload: { through: '2026-06-01T12:05:00.000Z', complete: false } })
  t.strictSame(await pass({ pageSize: 2 }), { outcome: 'done' })
  t.equal(searches(), 6, 'one asset twice')
  t.equal(new Set(names(sent)).size, 10)
  t.equal(sent.length, 10)
})

t.test('checks the remaining calls before each kind', async (t) => {
  const { pass, marks, searches } = await build(t, { adminCallsPerHour: 1 })
  t.match(await pass({ kinds: [UPLOAD, TAGS], pageSize: undefined }), { outcome: 'limited' })
  t.equal(searches(), 1)
  t.strictSame(Object.keys(await marks()), ['upload'])
})

t.test('reports the rate limit of Cloudinary', async (t) => {
  const { cloudinary, pass } = await build(t)
  cloudinary.faults.add({ kind: 'rate_limit', until: new Date('2026-06-01T15:00:00Z') })
  t.match(await pass(), { outcome: 'limited', until: new Date('2026-06-01T15:00:00Z'), why: /Rate Limit/ })
})

t.test('finishes the current page when interrupted, and resumes there', async (t) => {
  const { pass, sent, marks, cloudinary } = await build(t)
  const interrupted = new AbortController()
  const knownEvents = async () => {
    interrupted.abort()
    return new Set<string>()
  }
  t.strictSame(await pass({ signal: interrupted.signal, knownEvents }), { outcome: 'interrupted' })
  t.equal(sent.length, 4)
  t.match(await marks(), { upload: { through: '2026-06-01T12:03:00.000Z', complete: false } })
  t.strictSame(await pass(), { outcome: 'done' })
  t.equal(sent.length, 10)

  const again = new AbortController()
  cloudinary.faults.add({ kind: 'hang' })
  const hanging = pass({ signal: again.signal, since: START })
  await cloudinary.called(({ fault }) => fault === 'hang')
  again.abort()
  t.strictSame(await hanging, { outcome: 'interrupted' })
})

t.test('reports an error and what to do, and leaves the watermark before it', async (t) => {
  const { cloudinary, pass, marks, sent } = await build(t)
  cloudinary.faults.add({ kind: 'status', status: 503, count: 1 })
  t.match(await pass(), { outcome: 'failed', why: /^search: 503/ })
  const denied = (code: string) => async () => {
    throw new ListenerError(code, 'says little', {
      cause: Object.assign(new Error(), { name: 'AccessDenied' })
    })
  }
  t.match(await pass({ knownEvents: denied('JOURNAL_UNAVAILABLE') }), {
    outcome: 'failed',
    why: /^the journal: access denied .*BatchGetItem/
  })
  t.match(await pass({ sender: { store: denied('QUEUE_UNAVAILABLE') } }), {
    outcome: 'failed',
    why: /^the queue: access denied .*sqs:SendMessage/
  })
  const broken = async () => Promise.reject(new ListenerError('EVENT_TOO_LARGE', 'it is too large'))
  t.match(await pass({ sender: { store: broken } }), { outcome: 'failed', why: 'it is too large' })
  t.match(await pass({ knownEvents: () => Promise.reject(undefined) }), { outcome: 'failed' })
  t.equal(await marks(), undefined)
  await pass()
  t.equal(sent.length, 10)
})

t.test('completes a search that returns no times', async (t) => {
  const { pass, marks } = await build(t)
  const silent: ChangeKind = { ...METADATA, field: 'uploaded_at' }
  t.strictSame(await pass({ kinds: [silent], since: START, pageSize: undefined }), { outcome: 'done' })
  t.match(await marks(), { resource_metadata_changed: { complete: true } })
})
