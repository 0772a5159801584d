import t from 'tap'
import type { ActivityFilter } from '../../../app/activity/activity-store.ts'
import {
  filterToQuery,
  isEmptyFilter,
  parseFilter,
  parseListQuery
} from '../../../app/activity/event-filter.ts'

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

t.test('an empty value, which forms send, is ignored', async (t) => {
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

t.test('the error for an invalid value names the parameter', async (t) => {
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

t.test('a view is a predefined filter, and other parameters override it', async (t) => {
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
