import t from 'tap'
import { uploadEventIds } from '../../../../app/cloudinary/identity.ts'
import type { FoundAsset } from '../../../../app/cloudinary/search.ts'
import type { Trace } from '../../../../app/journal/asset-history.ts'
import { missingEvents } from '../../../../app/operator/reconcile/missing.ts'
import type { Side } from '../../../../app/operator/reconcile/sides.ts'
import { CHANGES_OF_CONTEXT, CONTEXT, FOUND_AT, found, METADATA, TAGS, UPLOAD } from './fixtures.ts'

const time = (text: string) => Date.parse(`2026-06-01T${text}Z`)
const HOUR_MS = 3_600_000

/** What is missing of an asset, with what the journal's feed knows of it. */
async function missing(
  side: Side,
  assets: FoundAsset[],
  { traces = [], known = [] }: { traces?: Trace[]; known?: string[] } = {}
) {
  const loads: number[][] = []
  const { events, undecided } = await missingEvents(side, assets, {
    ...CONTEXT,
    history: {
      load: async (...given) => void loads.push(given),
      of: (environment, asset) =>
        environment === CONTEXT.environment && asset.assetId === 'bag-id' && asset.publicId === 'bag'
          ? traces
          : []
    },
    knownEvents: async (ids) => new Set(ids.filter((id) => known.includes(id)))
  })
  return { events, undecided, loads }
}

const trace = (type: Trace['type'], occurredAt: string, runs: Trace['runs'] = []): Trace => ({
  type,
  occurredAt: time(occurredAt),
  runs
})

t.test('an upload is missing that the journal does not know', async (t) => {
  const hat = found({ asset_id: 'hat-id', public_id: 'hat' })
  const { events } = await missing(UPLOAD, [found(), hat])
  t.match(events, [{ asset: { publicId: 'bag' } }, { asset: { publicId: 'hat' } }])
  const after = await missing(UPLOAD, [found(), hat], { known: [events[0]!.id] })
  t.match(after.events, [{ asset: { publicId: 'hat' } }])
  t.equal(after.events.length, 1)
})

t.test(
  'an upload is known by the id that a notification with an etag gives it, or one without',
  async (t) => {
    const asset = found({ etag: 'e1' })
    const about = { assetId: asset.asset_id, version: asset.version }
    const [withEtag, without] = uploadEventIds(CONTEXT.environment, { ...about, etag: 'e1' })
    const [ofTheSameSecond] = uploadEventIds(CONTEXT.environment, { ...about, etag: 'e2' })
    t.match((await missing(UPLOAD, [asset])).events, [{ id: withEtag }])
    for (const id of [withEtag!, without!]) {
      t.strictSame((await missing(UPLOAD, [asset], { known: [id] })).events, [])
    }
    t.match((await missing(UPLOAD, [asset], { known: [ofTheSameSecond!] })).events, [{ id: withEtag }])
  }
)

t.test('what was never uploaded, or does not say when, is no upload', async (t) => {
  const { version: _, ...unknown } = found()
  t.strictSame((await missing(UPLOAD, [found({ type: 'fetch' }), unknown])).events, [])
  t.equal(
    (await missing(UPLOAD, [found({ type: 'private' }), found({ type: 'authenticated' })])).events.length,
    2
  )
})

t.test('a change is missing that no event tells of', async (t) => {
  for (const side of [TAGS, METADATA, CHANGES_OF_CONTEXT]) {
    const { events, loads } = await missing(side, [found()])
    t.match(events, [{ type: side.type, origin: { own: false } }])
    const changedAt = Date.parse(side.changedAt(found())!)
    t.strictSame(loads, [[changedAt - 12 * HOUR_MS, changedAt + 6 * HOUR_MS]])
  }
})

t.test('an event of its type at that time, or later, tells of it', async (t) => {
  const isMissing = async (...traces: Trace[]) =>
    (await missing(TAGS, [found()], { traces })).events.length === 1
  t.notOk(await isMissing(trace('resource_tags_changed', '12:01:00.700')))
  t.notOk(
    await isMissing(trace('resource_tags_changed', '12:40:00')),
    'signed late, and it says no time of its own'
  )
  t.notOk(await isMissing(trace('resource_tags_changed', '12:00:58')), 'clocks differ by seconds')
  t.notOk(await isMissing(trace('restore_asset_version', '12:01:00')))
  t.ok(await isMissing(trace('resource_tags_changed', '12:00:57')), 'that was the change before')
  t.ok(await isMissing(trace('resource_metadata_changed', '12:01:00')))
  t.ok(await isMissing(trace('upload', '12:00:00')))
})

t.test('a change that is part of the upload is none', async (t) => {
  const uploaded = (tags_updated_at: string) => found({ last_updated: { tags_updated_at } })
  t.strictSame((await missing(TAGS, [uploaded('2026-06-01T12:00:02+00:00')])).events, [])
  t.equal((await missing(TAGS, [uploaded('2026-06-01T12:00:03+00:00')])).events.length, 1)
  const { uploaded_at: _, ...asset } = found()
  t.equal((await missing(TAGS, [asset])).events.length, 1, 'who knows when')
})

t.test('a side that never changed has no change, and nothing is read for it', async (t) => {
  const { last_updated: _, ...asset } = found()
  t.strictSame(await missing(TAGS, [asset]), { events: [], undecided: [], loads: [] })
  t.strictSame(await missing(TAGS, []), { events: [], undecided: [], loads: [] })
})

t.test("what changed while a processor was at work on the asset is the listener's own", async (t) => {
  const isOwn = async (from: string, until: string) => {
    const traces = [trace('upload', '12:00:00', [{ from: time(from), until: time(until) }])]
    const { events } = await missing(TAGS, [found()], { traces })
    return events[0]!.origin.own
  }
  t.ok(await isOwn('12:00:59', '12:01:01'))
  t.ok(await isOwn('12:01:02', '12:01:03'))
  t.ok(await isOwn('12:00:50', '12:00:58'))
  t.notOk(await isOwn('12:01:03', '12:01:04'))
  t.notOk(await isOwn('12:00:50', '12:00:57'))
})

t.test(
  'while an event of the asset is not finished, a change may wait behind it: it is not decided',
  async (t) => {
    const judged = async (...traces: Trace[]) => {
      const { events, undecided } = await missing(TAGS, [found()], { traces })
      return { events: events.length, undecided }
    }
    const open = (openAt: number) => ({ ...trace('upload', '12:00:00'), openAt })
    const undecided = { events: 0, undecided: [time('12:01:00')] }
    t.strictSame(await judged(open(time('12:00:01'))), undecided)
    t.strictSame(await judged(trace('rename', '11:00:00'), open(FOUND_AT - 24 * HOUR_MS)), undecided)
    t.strictSame(
      await judged(open(FOUND_AT - 24 * HOUR_MS - 1)),
      { events: 1, undecided: [] },
      'no worker will come back to that one'
    )
    t.strictSame(
      await judged(open(time('12:00:01')), trace('resource_tags_changed', '12:01:00')),
      { events: 0, undecided: [] },
      'it was told'
    )
  }
)

t.test('an upload is decided whatever is open: where it waits it is the same event', async (t) => {
  const traces = [{ ...trace('rename', '12:00:00'), openAt: time('12:00:01') }]
  const { events, undecided } = await missing(UPLOAD, [found()], { traces })
  t.equal(events.length, 1)
  t.strictSame(undecided, [])
})

t.test('a change that was found before is known by then', async (t) => {
  const { events } = await missing(TAGS, [found()])
  t.strictSame((await missing(TAGS, [found()], { known: [events[0]!.id] })).events, [])
})

t.test('a page that spans days is looked at day by day', async (t) => {
  const at = (tags_updated_at: string) => found({ last_updated: { tags_updated_at } })
  const { events, loads } = await missing(TAGS, [
    at('2026-06-01T13:00:00Z'),
    at('2026-06-01T14:00:00Z'),
    at('2026-06-08T00:00:00Z')
  ])
  t.equal(events.length, 3)
  t.strictSame(loads, [
    [time('01:00:00'), time('20:00:00')],
    [Date.parse('2026-06-07T12:00:00Z'), Date.parse('2026-06-08T06:00:00Z')]
  ])
})
