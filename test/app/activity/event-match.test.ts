import t from 'tap'
import type { ActivityFilter } from '../../../app/activity/activity-store.ts'
import { matches, needsPayload } from '../../../app/activity/event-match.ts'
import type { ProcessorRecord } from '../../../app/journal/processor-record.ts'
import { eventAt, iso, listed, NOW } from '../../support/activity.ts'

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

t.test('each condition of a filter selects events', async (t) => {
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

t.test('an event without asset, origin or payload matches filters on other fields', async (t) => {
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
