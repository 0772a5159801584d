import t from 'tap'
import type { ActivityEventDetail } from '../../../app/activity/activity-store.ts'
import { checkFilter, feedEvent, maskDetail } from '../../../app/activity/feed-event.ts'
import { type EventState, MemoryActivityStore } from '../../../app/activity/memory-activity-store.ts'
import type { ProcessorRecord } from '../../../app/journal/processor-record.ts'
import { eventAt, iso, listed, NOW } from '../../support/activity.ts'

const HOOK = 'https://hooks.example/T00/CAPABILITY'

const ended = { at: iso(NOW), attempts: 1, waits: 0, milliseconds: 30 }
const PROCESSORS: Record<string, ProcessorRecord> = {
  first: { ...ended, outcome: 'succeeded', note: `sent to ${HOOK}` },
  second: { ...ended, outcome: 'dead', code: 'E1', message: `${HOOK} is gone` },
  third: { at: iso(NOW), attempts: 1, waits: 0, outcome: 'started' }
}
const STATE: EventState = {
  status: 'dead',
  processors: PROCESSORS,
  lastError: { processor: 'second', code: 'E1', message: `${HOOK} is gone` },
  reason: 'why',
  startedAt: iso(NOW),
  finishedAt: iso(NOW + 1),
  change: { added: ['sale'] },
  run: 'r1'
}

t.test('secrets are masked in notes and errors', async (t) => {
  const event = feedEvent(await listed(eventAt(0), STATE), 'full')
  t.notMatch(JSON.stringify(event), 'CAPABILITY')
  t.match(event, {
    reason: 'why',
    run: 'r1',
    lastError: { code: 'E1', message: 'https://hooks.example/… is gone' },
    processors: { first: { note: 'sent to https://hooks.example/…' }, second: { code: 'E1' } }
  })
  t.match(feedEvent(await listed(eventAt(0)), 'full'), { lastError: undefined })
})

t.test('the payload and the attempts of a whole event are masked too', async (t) => {
  const store = new MemoryActivityStore()
  const event = eventAt(0, { payload: { notification_url: HOOK, tags: ['red'] } })
  store.put(event, {
    ...STATE,
    history: [
      {
        id: 'a',
        startedAt: iso(NOW),
        processors: { second: { outcome: 'dead', message: `${HOOK} is gone` } }
      }
    ]
  })
  const masked = maskDetail((await store.find(event.id)) as ActivityEventDetail)
  t.notMatch(JSON.stringify(masked), 'CAPABILITY')
  t.match(masked, {
    payload: { tags: ['red'] },
    history: [{ id: 'a', processors: { second: { outcome: 'dead' } } }]
  })
})

t.test('an event for a token has no errors, notes or origin', async (t) => {
  const event = eventAt(0, { traceId: 'Root=1', asset: { publicId: 'one' } })
  const seen = feedEvent(await listed(event, STATE), 'read')
  t.strictSame(seen, {
    id: event.id,
    type: 'upload',
    environment: 'demo',
    asset: { publicId: 'one' },
    occurredAt: iso(NOW),
    receivedAt: iso(NOW),
    startedAt: iso(NOW),
    finishedAt: iso(NOW + 1),
    status: 'dead',
    attempts: 1,
    source: 'web',
    change: { added: ['sale'] },
    processors: {
      first: { outcome: 'succeeded', milliseconds: 30 },
      second: { outcome: 'dead', milliseconds: 30 },
      third: { outcome: 'started' }
    }
  })
  const { asset: _, source: __, ...bare } = await listed(eventAt(0))
  t.strictSame(Object.keys(feedEvent(bare, 'read')), [
    'id',
    'type',
    'environment',
    'occurredAt',
    'receivedAt',
    'status',
    'attempts',
    'processors'
  ])
})

t.test('a token cannot filter by fields that it cannot read', async (t) => {
  for (const filter of [{ text: 'x' }, { code: 'x' }, { trace: 'x' }, { who: 'key' }]) {
    t.throws(() => checkFilter(filter, 'read'), { code: 'FILTER_REFUSED', statusCode: 403 })
    t.doesNotThrow(() => checkFilter(filter, 'full'))
  }
  for (const filter of [{}, { who: 'own' }, { who: 'other' }, { status: ['dead' as const] }]) {
    t.doesNotThrow(() => checkFilter(filter, 'read'))
  }
})
