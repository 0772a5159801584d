import t from 'tap'
import { MemoryActivityStore } from '../../../../app/activity/memory-activity-store.ts'
import { bearer, buildActivity, eventAt, iso, NOW } from '../../../support/activity.ts'

const EVENTS = '/api/activity/events'

t.test('lists events, newest first, and pages by cursor', async (t) => {
  const { store, get } = await buildActivity(t)
  for (const after of [1, 2, 3]) store.put(eventAt(after))
  const first = (await get(`${EVENTS}?limit=2`)).json()
  t.match(first.events, [{ id: 'event-000003', receivedAt: iso(NOW + 3) }, { id: 'event-000002' }])
  const next = (await get(`${EVENTS}?cursor=${first.older}`)).json()
  t.match(next, { events: [{ id: 'event-000001' }], newer: String, older: undefined })
})

t.test('filters, and returns the time that the search reached', async (t) => {
  const store = new MemoryActivityStore(1)
  store.put(eventAt(1), { status: 'done' })
  store.put(eventAt(2), { status: 'ignored' })
  const { get } = await buildActivity(t, { store })
  const page = (await get(`${EVENTS}?status=done`)).json()
  t.match(page, { events: [], searchedTo: iso(NOW + 2), older: String })
})

t.test('a bad filter is a 400 that names the parameter', async (t) => {
  const { get } = await buildActivity(t)
  for (const query of ['status=lost', 'stauts=dead', 'cursor=x', 'limit=0']) {
    const answer = await get(`${EVENTS}?${query}`)
    t.equal(answer.statusCode, 400, query)
    const [parameter] = query.split('=')
    t.match(answer.json(), { code: 'FILTER_INVALID', message: new RegExp(`^${parameter}: `) })
  }
})

t.test('a token sees the list without errors, and cannot search payloads', async (t) => {
  const { store, app } = await buildActivity(t)
  const lastError = { processor: 'p', code: 'E1', message: 'the details' }
  store.put(eventAt(1), { status: 'dead', lastError })
  const listed = await app.inject({ url: EVENTS, headers: bearer() })
  t.match(listed.json(), { events: [{ id: 'event-000001', status: 'dead' }] })
  t.notMatch(listed.body, /the details|origin|lastError/)
  const searched = await app.inject({ url: `${EVENTS}?text=a`, headers: bearer() })
  t.equal(searched.statusCode, 403)
  t.match(searched.json(), { code: 'FILTER_REFUSED' })
})

t.test('one event has its masked payload', async (t) => {
  const { store, get } = await buildActivity(t)
  const hook = 'https://hooks.example/T00/CAPABILITY'
  store.put(eventAt(1, { payload: { notification_url: hook } }))
  const answer = await get(`${EVENTS}/event-000001`)
  t.match(answer.json(), { id: 'event-000001', payload: { notification_url: 'https://hooks.example/…' } })
  const unknown = await get(`${EVENTS}/other`)
  t.equal(unknown.statusCode, 404)
  t.match(unknown.json(), { code: 'EVENT_UNKNOWN' })
})
