import t from 'tap'
import { buildActivity } from '../../../support/activity.ts'
import { minuteCounts, NOW, seededStore } from '../../../support/activity-events.ts'

t.test('samples show the form of their headers, and reasons have an explanation', async (t) => {
  const { get } = await buildActivity(t, { store: seededStore() })
  const { statusCode, body } = await get('/activity/refused')
  t.equal(statusCode, 200)
  t.match(body, '<bdi>x-cld-signature</bdi>: <bdi class="muted">40 hexadecimal digits</bdi>')
  t.match(body, /<code>SIGNATURE_MISSING<\/code><\/th><td>168<\/td><td>Not sent by Cloudinary/)
  t.notMatch(body, /<script>|<img src=x/)
})

t.test('a reason without an explanation refers to the log', async (t) => {
  const { get, store } = await buildActivity(t)
  store.minuteCounts.push(minuteCounts(NOW, { refused: { constructor: 1 } }))
  t.match((await get('/activity/refused')).body, 'See the log of the web role')
})

t.test('the page states that there are no samples', async (t) => {
  const { get } = await buildActivity(t)
  const { body } = await get('/activity/refused')
  t.match(body, 'No notification was refused')
  t.notMatch(body, 'Last 24 hours')
})
