import t from 'tap'
import { buildActivity, eventAt, settled } from '../../../support/activity.ts'

const REPLAYS = '/api/activity/replays'

type Server = Awaited<ReturnType<typeof buildActivity>>

const post = ({ request }: Server, payload: object | string, url = REPLAYS) =>
  request({ method: 'POST', url, payload, headers: { 'content-type': 'application/json' } })

t.test('counts and replays the events that a filter selects, and returns the progress', async (t) => {
  const server = await buildActivity(t)
  server.store.put(eventAt(1), { status: 'dead' })
  server.store.put(eventAt(2))
  const filter = { status: 'dead', from: '2026-06-01' }
  const counted = await post(server, { filter, dryRun: true })
  t.equal(counted.statusCode, 200)
  t.strictSame(counted.json(), { total: 1, isComplete: true })
  const all = await post(server, { filter: { from: '2026-06-01' }, failedOnly: false, dryRun: true })
  t.strictSame(all.json(), { total: 2, isComplete: true })
  t.strictSame(server.sent, [])
  const started = await post(server, { filter })
  t.equal(started.statusCode, 202)
  t.strictSame(started.json(), { id: 'run1', total: 1 })
  await settled()
  t.match((await server.get(`${REPLAYS}/run1`)).json(), {
    id: 'run1',
    state: 'done',
    failedOnly: true,
    by: 'listener',
    total: 1,
    sent: 1
  })
  t.match(server.sent, [
    { id: 'event-000001', run: { kind: 'redrive', id: 'run1', by: 'listener', from: 'api' } }
  ])
})

t.test('replays events by id, with all processors on request', async (t) => {
  const server = await buildActivity(t)
  server.store.put(eventAt(1))
  server.store.put(eventAt(2))
  const ids = ['event-000002', 'event-000002']
  t.match((await post(server, { ids })).json(), { total: 0 })
  t.match((await post(server, { ids, failedOnly: false })).json(), { id: 'run2', total: 1 })
  await settled()
  t.match(server.sent, [{ id: 'event-000002', run: { kind: 'replay', id: 'run2' } }])
})

t.test('aborts a replay', async (t) => {
  const server = await buildActivity(t)
  server.store.put(eventAt(1), { status: 'dead' })
  await post(server, { filter: { view: 'dead' } })
  const aborted = await post(server, {}, `${REPLAYS}/run1/abort`)
  t.equal(aborted.statusCode, 200)
  t.match(aborted.json(), { id: 'run1', total: 1 })
  const bare = await server.request({ method: 'POST', url: `${REPLAYS}/run1/abort` })
  t.equal(bare.statusCode, 200, 'without a body as well')
  for (const answer of [
    await server.get(`${REPLAYS}/other`),
    await post(server, {}, `${REPLAYS}/other/abort`)
  ]) {
    t.equal(answer.statusCode, 404)
    t.match(answer.json(), { code: 'REPLAY_UNKNOWN' })
  }
})

t.test('a body without a clear selection is refused', async (t) => {
  const server = await buildActivity(t)
  server.store.put(eventAt(1), { status: 'dead' })
  for (const [body, parameter] of [
    [{}, undefined],
    ['null', undefined],
    [{ ids: ['a'], filter: {} }, undefined],
    [[], undefined],
    [{ ids: [] }, 'ids'],
    [{ ids: '' }, 'ids'],
    [{ filter: { status: '' } }, 'status'],
    [{ ids: 'event-000001' }, 'ids'],
    [{ ids: Array.from({ length: 1001 }, (_, index) => `${index}`) }, 'ids'],
    [{ filter: { stauts: 'dead' } }, 'stauts'],
    [{ filter: 'status=dead' }, 'filter'],
    [{ filter: null }, 'filter'],
    [{ filter: {}, failedOnly: 'no' }, 'failedOnly'],
    [{ filter: {}, dryrun: true }, 'dryrun']
  ] as const) {
    const answer = await post(server, body as object)
    t.equal(answer.statusCode, 400, JSON.stringify(body).slice(0, 60))
    t.match(answer.json(), { code: 'FILTER_INVALID' })
    if (parameter) t.match(answer.json().message, new RegExp(`^${parameter}: `))
  }
  t.strictSame(server.sent, [])
})

t.test('discards dead events with a reason', async (t) => {
  const server = await buildActivity(t)
  const { store, deadLetters } = server
  store.put(eventAt(1), { status: 'dead' })
  store.put(eventAt(2), { status: 'dead' })
  store.put(eventAt(3))
  deadLetters.put(eventAt(1))
  const discards = '/api/activity/discards'
  const filter = { view: 'failed' }
  const counted = await post(server, { filter, reason: 'gone', dryRun: true }, discards)
  t.strictSame(counted.json(), { total: 2, isComplete: true })
  const started = await post(server, { ids: [eventAt(1).id, eventAt(3).id], reason: 'gone' }, discards)
  t.equal(started.statusCode, 202)
  t.match(started.json(), { id: 'run1', total: 1 })
  while ((await server.get(`${discards}/run1`)).json().state === 'running') await settled()
  t.match((await server.get(`${discards}/run1`)).json(), { kind: 'discard', discarded: 1, reason: 'gone' })
  t.strictSame(deadLetters.messages, [])
  t.match((await server.get(`/api/activity/events/${eventAt(1).id}`)).json(), {
    status: 'discarded',
    discarded: { by: 'listener', from: 'api', reason: 'gone' }
  })
  t.equal((await post(server, {}, `${discards}/run1/abort`)).json().state, 'done')
  for (const body of [{ filter }, { filter, reason: ' ' }, { filter, reason: 'x'.repeat(301) }]) {
    const refused = await post(server, body, discards)
    t.equal(refused.statusCode, 400)
    t.match(refused.json(), { code: 'FILTER_INVALID', message: /^reason: / })
  }
})
