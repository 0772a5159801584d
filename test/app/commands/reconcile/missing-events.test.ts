import t from 'tap'
import type { FoundAsset } from '../../../../app/cloudinary/search.ts'
import { CHANGE_KINDS, type ChangeKind } from '../../../../app/commands/reconcile/change-kinds.ts'
import { changeOf } from '../../../../app/commands/reconcile/found-changes.ts'
import {
  type MissingOptions,
  missingEvents,
  needsHistory,
  suspectedChanges
} from '../../../../app/commands/reconcile/missing-events.ts'
import type { SearchWindow } from '../../../../app/commands/reconcile/search-windows.ts'
import type { Asset } from '../../../../app/ingest/event.ts'
import { uploadEventIds } from '../../../../app/ingest/event-identity.ts'
import type { Trace } from '../../../../app/journal/asset-history.ts'
import type { TimeRange } from '../../../../app/journal/feed.ts'
import { CONTEXT, EVENT_CONTEXT, FOUND_AT, found, METADATA, TAGS, UPLOAD } from './fixtures.ts'

const time = (text: string) => Date.parse(`2026-06-01T${text}Z`)
const HOUR_MS = 3_600_000

interface About {
  traces?: Trace[]
  known?: string[]
  /** The window of all kinds. */
  window?: Partial<SearchWindow>
  kinds?: readonly ChangeKind[]
}

function build({ traces = [], known = [], window = {}, kinds = CHANGE_KINDS }: About = {}) {
  const read: { assets: readonly Asset[]; ranges: readonly TimeRange[] }[] = []
  const loads: number[][] = []
  const ofBag = (asset: Asset) => (asset.assetId === 'bag-id' && asset.publicId === 'bag' ? traces : [])
  const all = { from: time('00:00:00'), until: FOUND_AT, why: '', movesWatermark: true, ...window }
  const options: MissingOptions = {
    ...EVENT_CONTEXT,
    windows: new Map(kinds.map((kind) => [kind, all])),
    notified: { load: async (...given) => void loads.push(given), of: ofBag },
    history: async (assets, ranges) => {
      read.push({ assets, ranges })
      return ofBag
    },
    knownEvents: async (ids) => new Set(ids.filter((id) => known.includes(id)))
  }
  return { options, read, loads }
}

const suspected = async (kind: ChangeKind, assets: FoundAsset[], about?: About) =>
  suspectedChanges(kind, assets, build(about).options)

/**
 * Missing events of the bag, which was found by a change of one kind. By default only that kind is searched.
 */
async function missing(kind: ChangeKind, about: About = {}, asset = found()) {
  const { options, read } = build({ kinds: [kind], ...about })
  const { events, undecided } = await missingEvents([changeOf(kind, asset)!], options)
  return { events, undecided: undecided.length, read }
}

const trace = (type: Trace['type'], occurredAt: string, about: Partial<Trace> = {}): Trace => ({
  type,
  occurredAt: time(occurredAt),
  own: false,
  runs: [],
  ...about
})

t.test('suspects an upload that is not in the journal', async (t) => {
  const hat = found({ asset_id: 'hat-id', public_id: 'hat' })
  const { version: _, ...unknown } = found()
  const changes = await suspected(UPLOAD, [found(), hat, unknown])
  t.strictSame(
    changes.map(({ asset }) => asset.public_id),
    ['bag', 'hat']
  )
  const { events } = await missing(UPLOAD)
  t.match(await suspected(UPLOAD, [found(), hat], { known: [events[0]!.id] }), [{ asset: hat }])
})

t.test('recognizes an upload by its ID with or without an etag', async (t) => {
  const asset = found({ etag: 'e1' })
  const about = { assetId: asset.asset_id, version: asset.version }
  const [withEtag, without] = uploadEventIds(EVENT_CONTEXT.environment, { ...about, etag: 'e1' })
  const [ofTheSameSecond] = uploadEventIds(EVENT_CONTEXT.environment, { ...about, etag: 'e2' })
  t.match((await missing(UPLOAD, {}, asset)).events, [{ id: withEtag }])
  for (const id of [withEtag!, without!]) {
    t.strictSame((await missing(UPLOAD, { known: [id] }, asset)).events, [])
  }
  t.match((await missing(UPLOAD, { known: [ofTheSameSecond!] }, asset)).events, [{ id: withEtag }])
})

t.test('suspects a change without a notification within minutes', async (t) => {
  t.equal((await suspected(TAGS, [found()])).length, 1)
  const traces = [trace('resource_tags_changed', '12:01:00')]
  t.strictSame(await suspected(TAGS, [found()], { traces }), [])
  t.equal((await suspected(METADATA, [found()], { traces })).length, 1)
  const { events } = await missing(TAGS)
  t.strictSame(await suspected(TAGS, [found()], { known: [events[0]!.id] }), [], 'found before')
})

t.test('holds only a few minutes of the feed', async (t) => {
  const { options, loads } = build()
  const at = (tags_updated_at: string) => found({ last_updated: { tags_updated_at } })
  const assets = ['12:56:00', '12:58:00', '13:20:00'].map((text) => at(`2026-06-01T${text}Z`))
  t.equal((await suspectedChanges(TAGS, assets, options)).length, 3)
  t.strictSame(loads, [
    [time('12:55:00'), time('13:03:00')],
    [time('13:19:00'), time('13:25:00')]
  ])
  t.strictSame(await suspectedChanges(TAGS, [], options), [])
})

t.test('finds a change missing that no event reports', async (t) => {
  for (const kind of [TAGS, METADATA, CONTEXT]) {
    const { events, read } = await missing(kind)
    t.match(events, [{ type: kind.type, origin: { own: false } }])
    const changedAt = Date.parse(kind.changedAt(found())!)
    t.strictSame(read, [
      {
        assets: [{ assetId: 'bag-id', publicId: 'bag' }],
        ranges: [{ from: changedAt - 12 * HOUR_MS, until: changedAt + 6 * HOUR_MS }]
      }
    ])
  }
})

t.test('finds a change reported by an event of its type at that time or later', async (t) => {
  const isMissing = async (...traces: Trace[]) => (await missing(TAGS, { traces })).events.length === 1
  t.notOk(await isMissing(trace('resource_tags_changed', '12:01:00.700')))
  t.notOk(
    await isMissing(trace('resource_tags_changed', '12:40:00')),
    'signed late, without a time of its own'
  )
  t.notOk(await isMissing(trace('resource_tags_changed', '12:00:58')), 'clocks differ by seconds')
  t.notOk(await isMissing(trace('restore_asset_version', '12:01:00')))
  t.ok(await isMissing(trace('resource_tags_changed', '12:00:57')), 'an earlier change')
  t.ok(await isMissing(trace('resource_metadata_changed', '12:01:00')))
  t.ok(await isMissing(trace('upload', '12:00:00')))
})

t.test("does not count an event of the listener's own change as a report of an earlier one", async (t) => {
  const isMissing = async (occurredAt: string) => {
    const traces = [trace('resource_tags_changed', occurredAt, { own: true })]
    return (await missing(TAGS, { traces })).events.length === 1
  }
  t.notOk(await isMissing('12:01:30'))
  t.ok(await isMissing('12:02:01'))
})

t.test("takes a change during a processor run for the listener's own", async (t) => {
  const isOwn = async (from: string, until: string) => {
    const traces = [trace('upload', '12:00:00', { runs: [{ from: time(from), until: time(until) }] })]
    const { events } = await missing(TAGS, { traces })
    return events[0]!.origin.own
  }
  t.ok(await isOwn('12:00:59', '12:01:01'))
  t.ok(await isOwn('12:01:02', '12:01:03'))
  t.ok(await isOwn('12:00:50', '12:00:58'))
  t.notOk(await isOwn('12:01:03', '12:01:04'))
  t.notOk(await isOwn('12:00:50', '12:00:57'))
})

t.test('leaves a change undecided behind an unfinished event', async (t) => {
  const judged = async (...traces: Trace[]) => {
    const { events, undecided } = await missing(TAGS, { traces })
    return { events: events.length, undecided }
  }
  const open = (openAt: number) => trace('upload', '12:00:00', { openAt })
  const undecided = { events: 0, undecided: 1 }
  t.strictSame(await judged(open(time('12:00:01'))), undecided)
  t.strictSame(await judged(trace('rename', '11:00:00'), open(FOUND_AT - 24 * HOUR_MS)), undecided)
  t.strictSame(
    await judged(open(FOUND_AT - 24 * HOUR_MS - 1)),
    { events: 1, undecided: 0 },
    'its message is lost'
  )
  t.strictSame(
    await judged(open(time('12:00:01')), trace('resource_tags_changed', '12:01:00')),
    { events: 0, undecided: 0 },
    'reported'
  )
})

t.test('decides an upload even behind an unfinished event', async (t) => {
  const traces = [trace('rename', '12:00:00', { openAt: time('12:00:01') })]
  const { events, undecided, read } = await missing(UPLOAD, { traces })
  t.equal(events.length, 1)
  t.equal(undecided, 0)
  t.match(read, [{ ranges: [] }])
})

t.test('decides all kinds that are still to be searched together', async (t) => {
  const typesOf = async (kind: ChangeKind, about: About = {}) =>
    (await missing(kind, { kinds: CHANGE_KINDS, ...about })).events.map(({ type }) => type)
  const [upload, tags, metadata, context] = CHANGE_KINDS.map(({ type }) => type)
  t.strictSame(await typesOf(UPLOAD), [upload, tags, metadata, context])
  t.strictSame(await typesOf(METADATA), [metadata, context])
  t.strictSame(await typesOf(UPLOAD, { kinds: [UPLOAD, METADATA] }), [upload, metadata])
  const traces = [trace('resource_metadata_changed', '12:02:00')]
  t.strictSame(await typesOf(UPLOAD, { traces }), [upload, tags, context])
  const { events } = await missing(UPLOAD, { kinds: CHANGE_KINDS })
  t.strictSame(await typesOf(UPLOAD, { known: [events[1]!.id] }), [upload, metadata, context])
  t.strictSame(await typesOf(UPLOAD, { window: { from: time('12:01:30') } }), [upload, metadata, context])
  const last_updated = { ...found().last_updated, context_updated_at: '2026-06-01T12:00:30Z' }
  const { events: inOrder } = await missing(UPLOAD, { kinds: CHANGE_KINDS }, found({ last_updated }))
  t.strictSame(
    inOrder.map(({ type }) => type),
    [upload, context, tags, metadata],
    'in the order of time'
  )
})

t.test('sends nothing for an asset with an undecided change', async (t) => {
  const traces = [trace('rename', '12:00:00', { openAt: time('12:00:01') })]
  t.match(await missing(UPLOAD, { kinds: CHANGE_KINDS, traces }), { events: [], undecided: 1 })
})

t.test('lets an event wait up to 3 hours for a later change that may still be notified', async (t) => {
  const waits = async (until: number, about: Partial<SearchWindow> = {}) =>
    (await missing(UPLOAD, { kinds: CHANGE_KINDS, window: { until, ...about } })).undecided === 1
  t.ok(await waits(time('12:02:59')), 'the context changed later')
  t.notOk(await waits(time('12:03:00')))
  t.notOk(await waits(time('12:02:59'), { from: time('12:03:01') }), 'searched before')
  t.ok(await waits(Number.NEGATIVE_INFINITY), 'unknown how far workers have come')
  const last_updated = { context_updated_at: '2026-06-01T18:00:00Z' }
  const later = async (until: string) =>
    (await missing(UPLOAD, { kinds: CHANGE_KINDS, window: { until: time(until) } }, found({ last_updated })))
      .undecided
  t.equal(await later('14:59:59'), 1)
  t.equal(await later('15:00:00'), 0)
})

t.test('reads the feed only for changes other than uploads', async (t) => {
  const needs = (kind: ChangeKind, about: About, asset = found()) =>
    needsHistory(changeOf(kind, asset)!, build(about).options)
  t.ok(needs(UPLOAD, {}))
  t.ok(needs(TAGS, { kinds: [TAGS] }))
  t.notOk(needs(UPLOAD, { kinds: [UPLOAD] }))
  t.notOk(needs(UPLOAD, {}, found({ last_updated: {} })))
})

t.test('does not leave a reported change undecided', async (t) => {
  const traces = [trace('resource_tags_changed', '12:01:00', { openAt: FOUND_AT })]
  const window = { until: time('12:01:00') }
  t.match(await missing(TAGS, { kinds: CHANGE_KINDS, traces, window }), { events: [], undecided: 0 })
})
