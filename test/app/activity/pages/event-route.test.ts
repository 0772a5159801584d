import t from 'tap'
import { buildActivity } from '../../../support/activity.ts'
import { doneState, eventAt, failingState, HOSTILE, seededStore } from '../../../support/activity-events.ts'

t.test('a failed event shows the error, advice and each attempt', async (t) => {
  const { get, store } = await buildActivity(t)
  const event = eventAt('resource_tags_changed', 240_000)
  store.put(event, failingState(event, 'dead', { message: 'see https://hooks.example.com/T0/secret' }))
  const { statusCode, body } = await get(`/activity/events/${event.id}`)
  t.equal(statusCode, 200)
  t.match(body, 'failed permanently: <code>NOTIFY_REJECTED</code>')
  t.match(body, 'What to do:')
  t.match(body, '<bdi>Attempt 3</bdi>')
  t.match(body, 'see https://hooks.example.com/…')
  t.notMatch(body, 'T0/secret')
  t.match(body, `href="/activity/replays/new?id&#61;${event.id}"`)
})

t.test('a waiting event shows its next attempt', async (t) => {
  const { get, store } = await buildActivity(t)
  const event = eventAt('upload', 60_000)
  const state = failingState(event, 'retrying')
  store.put(event, { ...state, processors: { notify: { ...state.processors!.notify!, waits: 2 } } })
  const { body } = await get(`/activity/events/${event.id}`)
  t.match(body, 'failed and will be retried')
  t.match(body, '+ 2 not counted')
  t.match(body, 'next attempt')
})

t.test('shows the change, the processors, the payload and commands to send it again', async (t) => {
  const { get, store } = await buildActivity(t)
  const event = {
    ...eventAt('resource_metadata_changed', 60_000),
    payload: { ...eventAt('resource_metadata_changed', 60_000).payload, api_token: 'abc' }
  }
  store.put(event, { ...doneState(event, { tag: 118 }), run: 'run1', reason: 'because' })
  const { body } = await get(`/activity/events/${event.id}`)
  t.match(body, '<bdi class="removed">cms-1000</bdi>')
  t.match(body, '<bdi class="added">cms-1001</bdi>')
  t.match(body, 'class="chip succeeded"')
  t.match(body, '<span class="prop">&#34;api_token&#34;</span>: <span class="str">&#34;…&#34;</span>')
  t.match(body, 'npm run send -- resource_metadata_changed')
  t.match(body, 'openssl dgst')
  t.match(body, 'run1')
  t.match(body, 'because')
})

t.test('shows an event without an asset, a payload and processors', async (t) => {
  const { get, store } = await buildActivity(t)
  const { traceId: _, ...event } = eventAt('create_folder', 60_000)
  store.put(
    { ...event, asset: null },
    { status: 'ignored', attempts: 0, reason: 'no processor is on create_folder' }
  )
  const found = await store.find(event.id)
  store.find = async () => ({ ...found!, payload: undefined })
  const { body } = await get(`/activity/events/${event.id}`)
  t.match(body, 'too large to keep')
  t.match(body, 'no processor is on create_folder')
  t.notMatch(body, 'History of the asset')
  t.notMatch(body, '>Processors</h2>')
})

t.test('shows neighbours of the same asset, and waits behind the older ones', async (t) => {
  const { get, store } = await buildActivity(t)
  const events = [1, 2, 3].map((minutes) => eventAt('upload', minutes * 60_000, { publicId: 'a' }))
  const [newest, middle, oldest] = events
  store.put(oldest!, failingState(oldest!, 'retrying'))
  store.put(middle!, { status: 'processing' })
  store.put(newest!)
  const { body } = await get(`/activity/events/${middle!.id}`)
  const ids = [...body.matchAll(/data-id="([^"]*)"/g)].map(([, id]) => id)
  t.strictSame(
    ids,
    events.map(({ id }) => id)
  )
  t.match(body, 'waits behind an older event')
  t.match(body, 'holds up 1 newer event')
})

t.test('an event without a group has no neighbours', async (t) => {
  const { get, store } = await buildActivity(t)
  const event = eventAt('upload', 60_000)
  store.put(event)
  const { group: _, ...found } = (await store.find(event.id))!
  store.find = async () => found
  const { body } = await get(`/activity/events/${event.id}`)
  t.notMatch(body, 'same asset')
})

t.test('an unknown event has an error page', async (t) => {
  const { get } = await buildActivity(t)
  const { statusCode, body } = await get('/activity/events/nope')
  t.equal(statusCode, 404)
  t.match(body, '<code>EVENT_UNKNOWN</code>')
})

t.test('hostile values do not become elements', async (t) => {
  const store = seededStore()
  const { get } = await buildActivity(t, { store })
  const query = { filter: { prefix: HOSTILE.slice(0, 8) }, limit: 1, signal: new AbortController().signal }
  const { events } = await store.list(query)
  const { statusCode, body } = await get(`/activity/events/${events[0]!.id}`)
  t.equal(statusCode, 200)
  t.notMatch(body, /<script>|<img src=x|<svg onload/)
})
