import t, { type Test } from 'tap'
import { type Change, type ChangesOptions, changes } from '../../../app/changes/change-feed.ts'
import type { CloudinaryClient } from '../../../app/cloudinary/client.ts'
import type { CloudinaryOptions } from '../../../dev/cloudinary/server.ts'
import { buildCloudinary } from '../../support/cloudinary.ts'

const FIELD = 'last_update_timestamp'
const SECOND = 1000
const START = Date.parse('2026-06-01T12:00:00.000Z')

/** A Cloudinary with its own clock, and assets stamped like `lastUpdateTimestamp` does. */
async function build(t: Test, standIn: Partial<CloudinaryOptions> = {}) {
  const time = { now: START }
  const clock = () => time.now
  const { cloudinary, clients } = await buildCloudinary(t, { clock }, { clock, ...standIn })
  cloudinary.cloud().metadataFields.create({ external_id: FIELD, label: 'Last update', type: 'string' })
  cloudinary.cloud().metadataFields.create({ external_id: 'epoch', label: 'Last update', type: 'integer' })
  const client = clients.for('demo', new AbortController().signal)
  return {
    time,
    cloudinary,
    stamp(publicId: string, stamp = time.now) {
      if (!cloudinary.assets.find(publicId)) cloudinary.as().upload({ publicId })
      cloudinary.as().setMetadata(publicId, { [FIELD]: new Date(stamp).toISOString() })
    },
    feed: (options: ChangesOptions) => changes(client, { clock, ...options }),
    searches: () => cloudinary.calls.filter(({ action }) => action === 'search')
  }
}

const since = new Date(START)
const names = (found: Change[]) => found.map(({ public_id }) => public_id)

async function read(feed: AsyncIterable<Change>): Promise<Change[]> {
  const found: Change[] = []
  for await (const change of feed) found.push(change)
  return found
}

t.test('reports stamped assets in the order of their stamps, with the fields that a CMS needs', async (t) => {
  const { stamp, feed, time, cloudinary } = await build(t)
  stamp('before', START - 1)
  for (const publicId of ['a', 'b', 'c']) {
    time.now += SECOND
    stamp(publicId)
  }
  cloudinary.as().upload({ publicId: 'never-stamped' })
  time.now += SECOND
  stamp('a')
  const reading = feed({ since })
  const found = await read(reading)
  t.strictSame(names(found), ['b', 'c', 'a'])
  const [change] = found
  t.match(JSON.parse(JSON.stringify(change)), {
    asset_id: /^[0-9a-f]{32}$/,
    resource_type: 'image',
    type: 'upload',
    changed_at: '2026-06-01T12:00:02.000Z',
    metadata: { [FIELD]: '2026-06-01T12:00:02.000Z' },
    tags: [],
    secure_url: /^http:\/\/127\.0\.0\.1:\d+\/demo\//
  })
  t.notOk('cursor' in JSON.parse(JSON.stringify(change)), 'not in JSON')
  t.strictSame([reading.assetsRead, reading.assetsStamped], [4, 4])
})

t.test('accepts a stamp in seconds', async (t) => {
  const { cloudinary, feed } = await build(t)
  cloudinary.as().setMetadata('bag', { epoch: START / 1000 })
  t.match(await read(feed({ since, field: 'epoch' })), [{ changed_at: since.toISOString() }])
  t.strictSame(await read(feed({ since: new Date(0) })), [], 'the default field is not set')
})

t.test('reports nothing twice, from the cursor of any change or of the end', async (t) => {
  const { stamp, feed, time } = await build(t)
  for (const publicId of ['a', 'b', 'c', 'd']) stamp(publicId)
  const first = feed({ since })
  const found = await read(first)
  t.equal(found.length, 4)
  t.strictSame(await read(feed({ cursor: first.cursor() })), [])
  t.strictSame(await read(first), [], 'the same feed')
  for (const [index, change] of found.entries()) {
    t.strictSame(names(await read(feed({ cursor: change.cursor() }))), names(found.slice(index + 1)))
  }
  time.now += SECOND
  stamp('b')
  t.strictSame(names(await read(first)), ['b'])
  t.strictSame(names(await read(feed({ cursor: found[3]!.cursor() }))), ['b'])
})

t.test('resumes after the last change that was read', async (t) => {
  const { stamp, feed } = await build(t)
  for (const publicId of ['a', 'b', 'c']) stamp(publicId)
  const reading = feed({ since, pageSize: 2 })
  const taken: string[] = []
  for await (const { public_id } of reading) {
    taken.push(public_id)
    break
  }
  for await (const { public_id } of feed({ cursor: reading.cursor() })) taken.push(public_id)
  t.strictSame(taken.toSorted(), ['a', 'b', 'c'])
})

t.test('finds a change that the index shows late', async (t) => {
  const lags: Record<string, number> = { slow: 250 * SECOND }
  const { stamp, feed, time } = await build(t, { searchLagMs: ({ publicId }) => lags[publicId] ?? 0 })
  stamp('slow')
  time.now += SECOND
  stamp('quick')
  const reading = feed({ since })
  t.strictSame(names(await read(reading)), ['quick'])
  time.now += 248 * SECOND
  t.strictSame(names(await read(reading)), [])
  time.now += SECOND
  t.strictSame(names(await read(feed({ cursor: reading.cursor() }))), ['slow'])
})

t.test('reports the last state of an asset that changes during the reading', async (t) => {
  const { stamp, feed, time, cloudinary } = await build(t)
  for (let index = 0; index < 9; index++) {
    stamp(`a-${index}`)
    time.now += SECOND
  }
  const last = new Map<string, string>()
  let moves = 0
  for await (const { public_id, changed_at } of feed({ since, pageSize: 2 })) {
    last.set(public_id, changed_at)
    time.now += SECOND
    if (moves++ < 9) stamp(`a-${(moves * 5) % 9}`)
  }
  t.ok(moves > 9)
  for (const [publicId, changedAt] of last) {
    t.equal(changedAt, cloudinary.assets.find(publicId)?.metadata[FIELD])
  }
})

t.test('reports a change in the same second as the stamp', async (t) => {
  const { stamp, feed, cloudinary } = await build(t)
  stamp('a')
  const reading = feed({ since })
  await read(reading)
  cloudinary.as().addTags('a', ['late'])
  t.match(await read(reading), [{ public_id: 'a', tags: ['late'] }])
})

t.test('makes a search for each page, and uses the cursor within one second', async (t) => {
  const { stamp, feed, time, searches } = await build(t)
  for (let index = 0; index < 5; index++) stamp(`same-${index}`)
  for (let index = 0; index < 3; index++) {
    time.now += SECOND
    stamp(`later-${index}`)
  }
  const found = await read(feed({ since, pageSize: 2 }))
  t.equal(new Set(names(found)).size, 8)
  t.equal(found.length, 8)
  const asked = searches().map(({ params: { expression, next_cursor } }) => [
    String(expression).slice(-10, -2),
    next_cursor !== undefined
  ])
  t.strictSame(asked.slice(0, 4), [
    ['11:55:00', false],
    ['12:00:00', false],
    ['12:00:00', true],
    ['12:00:00', true]
  ])
  t.ok(asked.slice(4).every(([, hasCursor]) => !hasCursor))
})

t.test('does not read settled changes again', async (t) => {
  const { stamp, feed, time } = await build(t)
  for (let index = 0; index < 10; index++) stamp(`a-${index}`)
  const reading = feed({ since })
  await read(reading)
  const long = reading.cursor().length
  time.now += 301 * SECOND
  await read(reading)
  const before = reading.assetsRead
  await read(reading)
  t.equal(reading.assetsRead, before)
  t.ok(reading.cursor().length < long / 2, 'the cursor is short again')
})

t.test("stops before the hour's calls are spent, and resumes from the cursor", async (t) => {
  const { stamp, feed, time, searches } = await build(t, { adminCallsPerHour: 10 })
  for (let index = 0; index < 30; index++) {
    stamp(`a-${index}`)
    time.now += SECOND
  }
  const found: string[] = []
  let cursor: string | undefined
  const hours: number[] = []
  for (;;) {
    const reading = feed({ ...(cursor ? { cursor } : { since }), pageSize: 2 })
    try {
      for await (const { public_id } of reading) found.push(public_id)
      break
    } catch (error) {
      t.match(error, { code: 'CLOUDINARY_ALLOWANCE_SPENT', failure: { kind: 'rate-limited', until: Date } })
      const { failure } = error as unknown as { failure: { until: Date } }
      hours.push(searches().length)
      time.now = failure.until.getTime()
    }
    cursor = reading.cursor()
  }
  t.strictSame(
    found,
    Array.from({ length: 30 }, (_, index) => `a-${index}`)
  )
  t.strictSame(hours, [9, 18, 27, 36], 'a tenth is left to others')
  t.ok(searches().every(({ status }) => status === 200))
})

t.test('throws an error, and resumes with the same feed', async (t) => {
  const { stamp, feed, cloudinary } = await build(t)
  stamp('a')
  cloudinary.faults.add({ kind: 'status', status: 500, action: 'search', count: 1 })
  const reading = feed({ since })
  await t.rejects(read(reading), { code: 'CLOUDINARY_UNAVAILABLE' })
  t.strictSame(names(await read(reading)), ['a'])
})

t.test('reports an asset without a time of writing once', async (t) => {
  const asset = {
    asset_id: 'a',
    public_id: 'a',
    resource_type: 'image',
    type: 'upload',
    created_at: '',
    metadata: { [FIELD]: since.toISOString() },
    last_updated: { updated_at: 'now' }
  }
  const pages = [
    { resources: [asset], next_cursor: 'more' },
    { resources: [], next_cursor: 'more' },
    { resources: [{ ...asset, asset_id: 'b', public_id: 'b' }] }
  ]
  let calls = 0
  const client = {
    cloudName: 'demo',
    call: async () => pages[calls++ % pages.length]
  } as unknown as CloudinaryClient
  const reading = changes(client, { since, clock: () => START })
  t.strictSame(names(await read(reading)), ['a', 'b'])
  t.strictSame(await read(changes(client, { cursor: reading.cursor(), clock: () => START })), [])
  t.equal(calls, 6)
})

t.test('rejects invalid options', async (t) => {
  const { feed } = await build(t)
  const rejects = (options: object, message: RegExp) =>
    t.throws(() => feed(options), { code: 'CHANGES_OPTIONS_INVALID', message })
  rejects({}, /either `since` or `cursor`/)
  rejects({ since, cursor: 'v1.x' }, /either `since` or `cursor`/)
  rejects({ since: new Date(START + 1) }, /since: 2026-06-01T12:00:00.001Z is in the future/)
  rejects({ since: new Date(-1) }, /since: must not be before 1970/)
  rejects({ since: new Date(Number.NaN) }, /^since: /)
  rejects({ since: '2026-06-01' }, /^since: /)
  rejects({ since, overlapSeconds: -1 }, /^overlapSeconds: /)
  rejects({ since, pageSize: 501 }, /^pageSize: /)
  rejects({ since, field: '' }, /^field: /)
  rejects({ since, feild: 'x' }, /feild/)
  t.throws(() => feed({ cursor: 'nonsense' }), { code: 'CHANGES_CURSOR_INVALID' })
  t.doesNotThrow(() => changes({ cloudName: 'demo' } as CloudinaryClient, { since: new Date(0) }))
})
