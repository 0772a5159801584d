import t from 'tap'
import { buildActivity } from '../../../support/activity.ts'
import { eventAt, HOSTILE } from '../../../support/activity-events.ts'

const rowsIn = (body: string) => [...body.matchAll(/data-id="([^"]*)"/g)].map(([, id]) => id!)

t.test('an asset shows all its events in order, on several pages', async (t) => {
  const { get, store } = await buildActivity(t)
  const events = Array.from({ length: 60 }, (_, index) =>
    eventAt('upload', (index + 1) * 1000, { publicId: 'shoes/red' })
  )
  for (const event of [...events, eventAt('upload', 500, { publicId: 'other' })]) store.put(event)
  const path = `/activity/assets/${encodeURIComponent(events[0]!.group)}`
  const first = await get(path)
  t.match(first.body, '<h1><bdi class="asset">shoes/red</bdi></h1>')
  const next = /rel="next" href="([^"]+)"/
    .exec(first.body)![1]!
    .replaceAll('&#61;', '=')
    .replaceAll('&#38;', '&')
  t.ok(next.startsWith(path))
  const second = await get(next)
  t.strictSame(
    [...rowsIn(first.body), ...rowsIn(second.body)],
    events.map(({ id }) => id)
  )
  const newer = /rel="prev" href="([^"]+)"/
    .exec(second.body)![1]!
    .replaceAll('&#61;', '=')
    .replaceAll('&#38;', '&')
  t.strictSame(rowsIn((await get(newer)).body), rowsIn(first.body))
})

t.test('events without an asset have a page too', async (t) => {
  const { get, store } = await buildActivity(t)
  const event = { ...eventAt('create_folder', 1000), asset: null }
  store.put(event)
  t.match((await get(`/activity/assets/${encodeURIComponent(event.group)}`)).body, 'Events without an asset')
})

t.test('an asset without events has a page with a message', async (t) => {
  const { get } = await buildActivity(t)
  const { statusCode, body } = await get('/activity/assets/nope')
  t.equal(statusCode, 404)
  t.match(body, '<code>ASSET_UNKNOWN</code>')
})

t.test('hostile values do not become elements', async (t) => {
  const { get, store } = await buildActivity(t)
  const event = { ...eventAt('upload', 1000, { publicId: HOSTILE }), group: HOSTILE }
  store.put(event)
  const { statusCode, body } = await get(`/activity/assets/${encodeURIComponent(HOSTILE)}`)
  t.equal(statusCode, 200)
  t.notMatch(body, /<script>|<img src=x/)
})
