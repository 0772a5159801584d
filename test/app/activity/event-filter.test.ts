import t from 'tap'
import type { ActivityFilter } from '../../../app/activity/activity-store.ts'
import {
  filterToQuery,
  isEmptyFilter,
  matches,
  needsPayload,
  parseFilter,
  parseListQuery
} from '../../../app/activity/event-filter.ts'
import type { ProcessorRecord } from '../../../app/journal/processor-record.ts'
import { eventAt, iso, listed, NOW } from '../../support/activity.ts'

t.test('reads every parameter', async (t) => {
  const query = {
    status: 'dead,retrying',
    type: ['upload', 'delete'],
    processor: 'my-own',
    outcome: 'failed',
    code: 'TIMEOUT',
    environment: 'demo',
    asset: 'abc',
    prefix: 'shoes/',
    folder: 'shoes',
    tag: 'sale',
    who: 'own',
    source: 'poll',
    from: '2026-06-01',
    until: '2026-06-02',
    trace: 'Root=1',
    attempts: '3',
    duration: '250',
    text: ' needle '
  }
  const filter: ActivityFilter = {
    status: ['dead', 'retrying'],
    type: ['upload', 'delete'],
    processor: 'my-own',
    outcome: 'failed',
    code: 'TIMEOUT',
    environment: 'demo',
    assetId: 'abc',
    prefix: 'shoes/',
    folder: 'shoes',
    tag: 'sale',
    who: 'own',
    source: 'poll',
    from: '2026-06-01T00:00:00.000Z',
    until: '2026-06-02T23:59:59.999Z',
    trace: 'Root=1',
    minimumAttempts: 3,
    minimumMilliseconds: 250,
    text: 'needle'
  }
  t.strictSame(parseFilter(query), filter)
  t.strictSame(parseFilter(Object.fromEntries(filterToQuery(filter))), filter, 'and writes them')
})

t.test('an empty value is no filter, as a form sends it', async (t) => {
  t.strictSame(parseFilter({ status: '', text: '', view: undefined }), {})
  t.ok(isEmptyFilter(parseFilter({})))
  t.notOk(isEmptyFilter({ text: 'x' }))
  t.equal(filterToQuery({}).toString(), '')
})

t.test('a time is UTC unless it has an offset', async (t) => {
  for (const [given, read] of [
    ['2026-06-01T12:00', '2026-06-01T12:00:00.000Z'],
    ['2026-06-01T12:00:30.5Z', '2026-06-01T12:00:30.500Z'],
    ['2026-06-01T12:00:30+02:00', '2026-06-01T10:00:30.000Z']
  ]) {
    t.strictSame(parseFilter({ from: given }), { from: read })
  }
})

t.test('a bad value is refused, and its parameter named', async (t) => {
  for (const [parameter, value] of Object.entries({
    status: 'lost',
    type: 'upload,nothing',
    outcome: 'unsure',
    source: 'mail',
    from: 'yesterday',
    until: '2026-13-01',
    attempts: '0',
    duration: '1.5',
    processor: 'x'.repeat(201),
    who: ['own', 'other'],
    view: 'all',
    stauts: 'dead'
  })) {
    t.throws(() => parseFilter({ [parameter]: value }), {
      code: 'FILTER_INVALID',
      statusCode: 400,
      parameter,
      message: new RegExp(`^${parameter}: .`)
    })
  }
  t.throws(() => parseFilter('text'), { code: 'FILTER_INVALID', parameter: 'filter' })
  t.throws(() => parseListQuery({ limit: '201' }), { code: 'FILTER_INVALID', parameter: 'limit' })
  t.throws(
    () => parseFilter({ limit: '20' }),
    { code: 'FILTER_INVALID', parameter: 'limit' },
    'paging is not part of a filter'
  )
})

t.test('reads paging', async (t) => {
  t.strictSame(parseListQuery({}), { filter: {}, direction: 'older', limit: 50 })
  t.strictSame(parseListQuery({ cursor: 'abc', direction: 'newer', limit: '20', text: 'x' }), {
    filter: { text: 'x' },
    cursor: 'abc',
    direction: 'newer',
    limit: 20
  })
})

t.test('a view is a filter ready-made, and gives way to the others', async (t) => {
  for (const [view, filter] of Object.entries({
    failed: { status: ['retrying', 'dead'] },
    retrying: { status: ['retrying'] },
    dead: { status: ['dead'] },
    ignored: { status: ['ignored'] },
    slowest: { minimumMilliseconds: 1000 }
  })) {
    t.match(parseListQuery({ view }), { view, filter })
  }
  t.strictSame(parseFilter({ view: 'slowest', duration: 5 }), { minimumMilliseconds: 5 })
})

t.test('knows which filters need the payload', async (t) => {
  for (const filter of [{ text: 'x' }, { tag: 'x' }, { folder: 'x' }]) t.ok(needsPayload(filter))
  t.notOk(needsPayload({ prefix: 'x', status: ['dead'] }))
})

const ended = { at: iso(NOW), attempts: 1, waits: 0, milliseconds: 300 }
const PROCESSORS: Record<string, ProcessorRecord> = {
  first: { ...ended, outcome: 'succeeded' },
  second: { ...ended, outcome: 'dead', milliseconds: 20, code: 'TIMEOUT', message: 'too late' },
  third: { at: iso(NOW), attempts: 1, waits: 0, outcome: 'started' }
}

t.test('each part of a filter selects', async (t) => {
  const asset = { assetId: 'abc', publicId: 'shoes/red/one' }
  const event = await listed(
    eventAt(0, { asset, traceId: 'Root=1-2-3', origin: { source: 'api', id: 'key', own: false } }),
    {
      status: 'dead',
      attempts: 3,
      processors: PROCESSORS,
      lastError: { processor: 'fourth', code: 'GONE', message: 'gone' },
      change: { added: ['sale'], removed: ['draft'] }
    }
  )
  const payload = { tags: ['red'], title: 'A "Needle"' }
  const selects = (filter: ActivityFilter) => matches(event, filter, payload)
  const cases: [ActivityFilter, ActivityFilter][] = [
    [{ status: ['dead', 'done'] }, { status: ['done'] }],
    [{ type: ['upload'] }, { type: ['delete'] }],
    [{ environment: 'demo' }, { environment: 'other' }],
    [{ assetId: 'abc' }, { assetId: 'abd' }],
    [{ prefix: 'shoes/r' }, { prefix: 'red' }],
    [{ source: 'web' }, { source: 'poll' }],
    [{ from: iso(NOW) }, { from: iso(NOW + 1) }],
    [{ until: iso(NOW) }, { until: iso(NOW - 1) }],
    [{ trace: '1-2' }, { trace: '4' }],
    [{ minimumAttempts: 3 }, { minimumAttempts: 4 }],
    [{ who: 'other' }, { who: 'own' }],
    [{ who: 'key' }, { who: 'user' }],
    [{ processor: 'first' }, { processor: 'fifth' }],
    [{ outcome: 'dead' }, { outcome: 'failed' }],
    [
      { processor: 'second', outcome: 'dead' },
      { processor: 'first', outcome: 'dead' }
    ],
    [{ code: 'TIMEOUT' }, { code: 'OTHER' }],
    [
      { code: 'TIMEOUT', processor: 'second' },
      { code: 'TIMEOUT', processor: 'first' }
    ],
    [{ code: 'GONE' }, { code: 'GONE', outcome: 'dead' }],
    [
      { code: 'GONE', processor: 'fourth' },
      { code: 'GONE', processor: 'first' }
    ],
    [{ minimumMilliseconds: 300 }, { minimumMilliseconds: 301 }],
    [
      { minimumMilliseconds: 300, processor: 'first' },
      { minimumMilliseconds: 300, processor: 'second' }
    ],
    [{ tag: 'sale' }, { tag: 'blue' }],
    [{ tag: 'draft' }, { tag: 'draf' }],
    [{ tag: 'red' }, { tag: 'Needle' }],
    [{ folder: 'shoes' }, { folder: 'sho' }],
    [{ folder: '/shoes/red/' }, { folder: 'shoes/red/one' }],
    [{ text: 'needle' }, { text: 'haystack' }]
  ]
  t.ok(selects({}))
  for (const [selecting, other] of cases) {
    t.ok(selects(selecting), JSON.stringify(selecting))
    t.notOk(selects(other), JSON.stringify(other))
  }
  t.ok(matches(event, { folder: 'other' }, { asset_folder: 'other/place' }), 'a stated folder counts')
  t.notOk(matches(event, { folder: 'shoes' }, { asset_folder: 'other' }))
})

t.test('an event without asset, origin or payload matches what does not ask for them', async (t) => {
  const event = await listed(
    eventAt(0, { asset: null, origin: { source: null, id: null, own: true } }, 'create_folder')
  )
  t.ok(matches(event, { who: 'own' }))
  t.ok(matches(event, { type: ['create_folder'] }))
  for (const filter of [
    { assetId: 'abc' },
    { prefix: 'a' },
    { folder: 'a' },
    { tag: 'a' },
    { text: 'a' },
    { trace: 'a' },
    { who: 'other' }
  ]) {
    t.notOk(matches(event, filter), JSON.stringify(filter))
  }
  const atRoot = await listed(eventAt(0, { asset: { publicId: 'one' } }))
  t.notOk(matches(atRoot, { folder: 'one' }))
})
