import t from 'tap'
import { html } from '../../../../app/activity/pages/html.ts'
import { pager } from '../../../../app/activity/pages/list-route.ts'
import { ListenerError } from '../../../../app/errors.ts'
import { buildActivity } from '../../../support/activity.ts'
import { eventAt, HOSTILE, iso, NOW, seededStore } from '../../../support/activity-events.ts'

const rowsIn = (body: string) =>
  [...body.matchAll(/<li class="row [a-z]+" data-id="([^"]*)"/g)].map(([, id]) => id!)

t.test('the list shows the newest events, and links to the next and the previous page', async (t) => {
  const { get } = await buildActivity(t, { store: seededStore() })
  const first = await get('/activity')
  t.equal(first.statusCode, 200)
  t.equal(rowsIn(first.body).length, 50)
  t.match(first.body, 'data-stream="/api/activity/stream"')
  t.match(first.body, 'href="/activity/replays/new?all&#61;yes"')
  const older = /rel="next" href="([^"]+)"/
    .exec(first.body)![1]!
    .replaceAll('&#61;', '=')
    .replaceAll('&#38;', '&')
  const second = await get(older)
  t.equal(rowsIn(second.body).length, 50)
  t.notMatch(second.body, 'data-stream')
  t.strictSame(
    rowsIn(first.body).filter((id) => rowsIn(second.body).includes(id)),
    []
  )
  const newer = /rel="prev" href="([^"]+)"/
    .exec(second.body)![1]!
    .replaceAll('&#61;', '=')
    .replaceAll('&#38;', '&')
  t.strictSame(rowsIn((await get(newer)).body), rowsIn(first.body))
})

t.test('a filter selects events, is shown, and can be replayed', async (t) => {
  const { get } = await buildActivity(t, { store: seededStore() })
  const { body } = await get('/activity?status=dead&prefix=people/&window=6h')
  t.ok(rowsIn(body).length > 0)
  t.match(body, 'Status: <bdi>dead</bdi>')
  t.match(body, 'href="/activity/replays/new?status&#61;dead&#38;prefix&#61;people%2F">Replay all that match')
  t.match(body, 'data-stream="/api/activity/stream?status&#61;dead')
})

t.test('a view is a filter', async (t) => {
  const { get } = await buildActivity(t, { store: seededStore() })
  const { body } = await get('/activity?view=retrying')
  t.equal(rowsIn(body).length, 1)
  t.match(body, 'stream?status&#61;retrying')
})

t.test('a search in payloads is not live', async (t) => {
  const { get } = await buildActivity(t, { store: seededStore() })
  const { body } = await get('/activity?text=leather-tote')
  t.ok(rowsIn(body).length > 0)
  t.notMatch(body, 'data-stream')
})

t.test('the page names an invalid filter, and keeps it in the form', async (t) => {
  const { get } = await buildActivity(t)
  for (const [query, problem] of [
    ['attempts=many', 'attempts'],
    ['nonsense=1', 'nonsense'],
    ['cursor=x', 'cursor']
  ]) {
    const { statusCode, body } = await get(`/activity?${query}`)
    t.equal(statusCode, 400)
    t.match(body, new RegExp(`role="alert".*<bdi>${problem}: `, 's'))
  }
  t.match((await get('/activity?attempts=many')).body, 'value="many"')
})

t.test('an empty list shows the reason', async (t) => {
  const { get, store } = await buildActivity(t)
  t.match((await get('/activity')).body, 'npm run send -- upload')
  t.match((await get('/activity?prefix=x')).body, 'No event matches')
  store.put(eventAt('upload', 1000))
  const cursor = Buffer.from(`${iso(NOW - 999_999)} x`).toString('base64url')
  t.match((await get(`/activity?cursor=${cursor}`)).body, 'no more events in this direction')
})

t.test('a search that stopped shows the time it reached', async (t) => {
  const searchedTo = iso(NOW - 60_000)
  const store = seededStore()
  store.list = async () => ({ events: [], older: 'abc', searchedTo })
  const { get } = await buildActivity(t, { store })
  const { body } = await get('/activity?text=needle')
  t.match(body, 'Nothing found so far')
  t.match(body, 'searched back to')
  t.match(body, 'Search further back')
})

t.test('rows can be loaded by their ids, newest first', async (t) => {
  const { get, store } = await buildActivity(t)
  const [older, newer] = [
    eventAt('upload', 9000, { publicId: 'a' }),
    eventAt('upload', 1000, { publicId: 'b' })
  ]
  const twin = { ...older, id: `${older.id}0` }
  for (const event of [older, newer, twin]) store.put(event)
  const { body } = await get(`/activity/rows?id=${older.id}&id=unknown&id=${newer.id}&id=${twin.id}`)
  t.strictSame(rowsIn(body), [newer.id, twin.id, older.id])
  t.notMatch(body, '<html')
  t.equal((await get('/activity/rows')).body, '')
})

t.test('an unavailable journal results in a page with advice', async (t) => {
  const store = seededStore()
  store.list = async () => {
    throw new ListenerError('JOURNAL_UNAVAILABLE', 'the journal does not answer')
  }
  const { get } = await buildActivity(t, { store })
  const { statusCode, body, headers } = await get('/activity')
  t.equal(statusCode, 503)
  t.match(body, 'JOURNAL_TABLE')
  t.ok(headers['retry-after'])
})

t.test('hostile values do not become elements', async (t) => {
  const { get } = await buildActivity(t, { store: seededStore() })
  for (const name of ['prefix', 'status', 'view', 'window', 'cursor', 'text']) {
    const { body } = await get(`/activity?${new URLSearchParams({ [name]: HOSTILE })}`)
    t.notMatch(body, /<script>|<img src=x|<svg onload/, name)
  }
  t.notMatch((await get('/activity?prefix=%3Cscript')).body, /<script>|<img src=x/)
})

t.test('a list without further pages has no links to them', async (t) => {
  t.equal(pager({}, {}, NOW).toString(), html``.toString())
  t.match(pager({ newer: 'n' }, {}, NOW).toString(), 'rel="prev"')
})
