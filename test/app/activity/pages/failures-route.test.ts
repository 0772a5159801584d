import t from 'tap'
import { buildActivity } from '../../../support/activity.ts'
import { eventAt, failingState, seededStore } from '../../../support/activity-events.ts'

t.test('failures are grouped, with advice and a link to replay them', async (t) => {
  const { get } = await buildActivity(t, { store: seededStore() })
  const { statusCode, body } = await get('/activity/failures')
  t.equal(statusCode, 200)
  t.match(body, '<bdi>notify</bdi> <code>NOTIFY_REJECTED</code>')
  t.match(
    body,
    'href="/activity/replays/new?processor&#61;notify&#38;code&#61;NOTIFY_REJECTED&#38;status&#61;retrying%2Cdead"'
  )
  t.match(body, 'class="card failure retrying"')
  t.match(body, 'class="card failure dead"')
  t.notMatch(body, /<script>|<img src=x|hooks\.slack\.com\/services/)
})

t.test('the page states that there are no failures', async (t) => {
  const { get } = await buildActivity(t)
  t.match((await get('/activity/failures')).body, 'Nothing has failed')
})

t.test('counts include only the newest thousand', async (t) => {
  const { get, store } = await buildActivity(t)
  for (let index = 0; index < 1300; index++) {
    const event = { ...eventAt('upload', 60_000 + index), id: `e${index}` }
    store.put(event, failingState(event, 'dead'))
  }
  const { body } = await get('/activity/failures')
  t.match(body, '<dt>Dead</dt><dd class="value bad">1000</dd>')
  t.match(body, 'newest 1000 events')
})
