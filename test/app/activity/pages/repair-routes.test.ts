import t from 'tap'
import { type ActivityUnderTest, basic, buildActivity, settled } from '../../../support/activity.ts'
import { eventAt, failingState, repairOf, seededStore } from '../../../support/activity-events.ts'

const form = (fields: Record<string, string> | [string, string][], url = '/activity/replays') => ({
  method: 'POST' as const,
  url,
  payload: new URLSearchParams(fields).toString(),
  headers: { ...basic(), 'content-type': 'application/x-www-form-urlencoded' }
})

/** The page of a replay that has been started, once it has ended. */
async function whenEnded(get: ActivityUnderTest['get'], { headers }: { headers: { location?: unknown } }) {
  for (;;) {
    const shown = await get(String(headers.location))
    if (!shown.body.includes('data-refresh')) return shown
    await settled()
  }
}

const seeded = async (t: Parameters<typeof buildActivity>[0]) => {
  const built = await buildActivity(t)
  const dead = [1, 2].map((minutes) => eventAt('upload', minutes * 60_000, { publicId: `dead-${minutes}` }))
  for (const event of dead) built.store.put(event, failingState(event, 'dead'))
  const done = eventAt('upload', 180_000, { publicId: 'done' })
  built.store.put(done)
  return { ...built, dead, done }
}

t.test('counts, confirms, starts and shows a replay of a filter', async (t) => {
  const { get, request, sent, dead } = await seeded(t)
  const asked = await get('/activity/replays/new?view=failed')
  t.equal(asked.statusCode, 200)
  t.match(asked.body, 'Replay 2 events?')
  t.match(asked.body, '<input type="hidden" name="status" value="retrying,dead">')
  t.match(asked.body, 'Status: <bdi>retrying,dead</bdi>')
  const started = await request(form({ status: 'retrying,dead', failedOnly: 'yes' }))
  t.equal(started.statusCode, 303)
  const shown = await get(String(started.headers.location))
  t.match(shown.body, /of 2 events sent/)
  const ended = await whenEnded(get, started)
  t.match(ended.body, 'Replay done')
  t.notMatch(ended.body, 'data-refresh')
  t.strictSame(sent.map(({ id }) => id).toSorted(), dead.map(({ id }) => id).toSorted())
})

t.test('replays a selection, on request with processors that have succeeded', async (t) => {
  const { get, request, sent, dead, done } = await seeded(t)
  const asked = await get(`/activity/replays/new?id=${done.id}&id=${dead[0]!.id}`)
  t.match(asked.body, 'and 1 more')
  t.match(asked.body, 'Only those that have not succeeded: 1 event<')
  t.match(asked.body, 'All, including those that have succeeded: 2 events<')
  const started = await request(
    form([
      ['id', done.id],
      ['id', dead[0]!.id],
      ['failedOnly', 'no']
    ])
  )
  t.equal(started.statusCode, 303)
  await whenEnded(get, started)
  t.equal(sent.length, 2)
})

t.test('offers only all processors if no event failed', async (t) => {
  const { get, done } = await seeded(t)
  const { body } = await get(`/activity/replays/new?id=${done.id}`)
  t.match(body, 'value="yes" disabled')
  t.match(body, 'value="no" checked')
})

t.test('does not offer a replay if no event matches', async (t) => {
  const { get } = await seeded(t)
  t.match((await get('/activity/replays/new?prefix=zzz')).body, 'Nothing to replay')
  t.match((await get('/activity/replays/new?id=gone')).body, 'Nothing to replay')
  t.match((await get('/activity/discards/new?id=gone')).body, 'Nothing to discard')
})

t.test('refuses an empty selection, except with all=yes', async (t) => {
  const { get, request, sent } = await seeded(t)
  const empty = await get('/activity/replays/new')
  t.equal(empty.statusCode, 400)
  t.match(empty.body, 'Nothing is selected')
  t.equal((await request(form({}))).statusCode, 400)
  t.equal((await request({ method: 'POST', url: '/activity/replays' })).statusCode, 400)
  t.equal(sent.length, 0)
  const all = await get('/activity/replays/new?all=yes')
  t.match(all.body, 'No filter is set')
  t.match(all.body, '<input type="hidden" name="all" value="yes">')
})

t.test('a running replay can be stopped', async (t) => {
  const aborted: string[] = []
  const known = (id: string) => (id === 'r/1' ? repairOf({ id, state: 'running' }) : undefined)
  const repairs = {
    find: async (id: string) => known(id),
    abort: async (id: string) => {
      aborted.push(id)
      return known(id)
    }
  }
  const { get, request } = await buildActivity(t, { repairs: repairs as never })
  const { body } = await get('/activity/repairs/r%2F1')
  t.match(body, 'data-refresh="1000"')
  t.match(body, '<noscript><meta http-equiv="refresh" content="2">')
  const stopped = await request(form({}, '/activity/repairs/r%2F1/abort'))
  t.equal(stopped.statusCode, 303)
  t.equal(stopped.headers.location, '/activity/repairs/r%2F1')
  t.equal((await request(form({}, '/activity/repairs/other/abort'))).statusCode, 404)
  t.equal((await get('/activity/repairs/other')).statusCode, 404)
  t.strictSame(aborted, ['r/1', 'other'])
})

t.test('discards dead events with a reason, and lists the repair', async (t) => {
  const { get, request, dead, store, deadLetters } = await seeded(t)
  for (const event of dead) deadLetters.put(event)
  const asked = await get('/activity/discards/new?view=failed')
  t.match(asked.body, 'Discard 2 events?')
  t.match(asked.body, 'name="reason"')
  const status = { status: 'retrying,dead' }
  for (const fields of [status, { ...status, reason: ' ' }]) {
    const refused = await request(form(fields, '/activity/discards'))
    t.equal(refused.statusCode, 400)
  }
  t.equal((await request({ method: 'POST', url: '/activity/discards' })).statusCode, 400)
  const started = await request(form({ ...status, reason: 'the asset is gone' }, '/activity/discards'))
  t.equal(started.statusCode, 303)
  const ended = await whenEnded(get, started)
  t.match(ended.body, 'Discard done')
  t.match(await store.find(dead[0]!.id), { status: 'discarded', discarded: { reason: 'the asset is gone' } })
  t.strictSame(deadLetters.messages, [])
  t.match((await get('/activity/repairs')).body, 'the asset is gone')
  t.match((await get('/activity?view=discarded')).body, 'the asset is gone')
  t.match((await get('/activity/discards/new?view=failed')).body, 'Nothing to discard')
})

t.test('refuses a replay from another site', async (t) => {
  const { request, sent } = await buildActivity(t, { store: seededStore() })
  const started = form({ status: 'dead' })
  const refused = await request({
    ...started,
    headers: { ...started.headers, 'sec-fetch-site': 'cross-site' }
  })
  t.equal(refused.statusCode, 403)
  t.match(refused.body, 'The request came from another site')
  t.equal(sent.length, 0)
})
