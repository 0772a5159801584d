import t from 'tap'
import {
  EventDetailSchema,
  EventPageSchema,
  RepairSchema
} from '../../../../app/activity/api/event-schemas.ts'
import { bearer, buildActivity, eventAt, iso, NOW, settled } from '../../../support/activity.ts'

const ended = { at: iso(NOW), attempts: 1, waits: 0, milliseconds: 30, run: 'r1' }

t.test('responses match the schemas', async (t) => {
  const { store, get, app, request } = await buildActivity(t)
  store.put(eventAt(1, { traceId: 'Root=1', asset: null }), {
    status: 'dead',
    reason: 'why',
    startedAt: iso(NOW),
    finishedAt: iso(NOW),
    storedAt: iso(NOW),
    processors: {
      first: { ...ended, outcome: 'succeeded', note: 'done' },
      second: { ...ended, outcome: 'failed', code: 'E1', message: 'no', notBefore: iso(NOW) }
    },
    lastError: { processor: 'second', code: 'E1', message: 'no' },
    change: { added: ['sale'] },
    history: [
      {
        ...{ id: 'a', startedAt: iso(NOW), run: 'r1', source: 'replay' },
        processors: { second: { outcome: 'failed', code: 'E1' } }
      }
    ],
    replays: [
      { run: 'r0', kind: 'replay', at: iso(NOW) },
      { run: 'r1', kind: 'redrive', by: 'anna', at: iso(NOW), from: 'command' }
    ],
    discarded: { by: 'anna', at: iso(NOW), from: 'page', reason: 'gone' }
  })
  store.put(eventAt(2))
  const page = (await get('/api/activity/events')).json()
  t.match(EventPageSchema.safeParse(page), { success: true })
  const seen = await app.inject({ url: '/api/activity/events', headers: bearer() })
  t.match(EventPageSchema.safeParse(seen.json()), { success: true })
  const one = (await get('/api/activity/events/event-000001')).json()
  t.match(EventDetailSchema.strict().safeParse(one), { success: true })
  t.equal(one.replays.length, 2)
  t.notMatch(JSON.stringify(seen.json()), /anna|gone/)
  await request({ method: 'POST', url: '/api/activity/replays', payload: { ids: ['event-000001', 'x'] } })
  await settled()
  const replay = (await get('/api/activity/replays/run1')).json()
  t.match(RepairSchema.strict().safeParse(replay), { success: true })
  t.equal(replay.failures.length, 1)
})
