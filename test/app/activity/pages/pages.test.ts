import t from 'tap'
import { ListenerError } from '../../../../app/errors.ts'
import { buildActivity } from '../../../support/activity.ts'

t.test('a page without the password requests a login', async (t) => {
  const { app } = await buildActivity(t)
  for (const url of ['/activity', '/activity/failures', '/activity/activity.css', '/activity/nope']) {
    const { statusCode, headers, body } = await app.inject(url)
    t.equal(statusCode, 401, url)
    t.match(headers['www-authenticate'], /^Basic/)
    t.match(headers['content-type'], 'text/html')
    t.match(body, 'ACTIVITY_PASSWORD')
  }
})

t.test('an unknown path has an error page', async (t) => {
  const { get } = await buildActivity(t)
  const { statusCode, body } = await get('/activity/nope/at/all')
  t.equal(statusCode, 404)
  t.match(body, 'There is no such page')
})

t.test('logs an unexpected error and does not show it', async (t) => {
  const { get, store, lines } = await buildActivity(t)
  store.refused = async () => {
    throw new Error('postgres://user:hunter2@host')
  }
  const { statusCode, body } = await get('/activity/refused')
  t.equal(statusCode, 500)
  t.notMatch(body, 'hunter2')
  t.match(
    lines.find(({ msg }) => msg === 'request failed'),
    { level: 50, code: 'INTERNAL' }
  )
})

t.test('a page for an unavailable journal has a Retry-After header', async (t) => {
  const { get, store } = await buildActivity(t)
  store.refused = async () => {
    throw new ListenerError('JOURNAL_UNAVAILABLE', 'the journal does not answer')
  }
  const { statusCode, headers, body } = await get('/activity/refused')
  t.equal(statusCode, 503)
  t.equal(headers['retry-after'], '5')
  t.match(body, 'JOURNAL_TABLE')
})

t.test('no page has inline or foreign scripts and styles', async (t) => {
  const { get } = await buildActivity(t)
  for (const url of ['/activity', '/activity/failures', '/activity/refused', '/activity/nope']) {
    const { body, headers } = await get(url)
    t.match(headers['content-security-policy'], "script-src 'self'")
    t.notMatch(body, /<style|style=|<script>| on[a-z]+="/)
    t.strictSame(
      [...body.matchAll(/<script src="([^"]*)"/g)].map(([, src]) => src),
      ['/activity/activity.js']
    )
  }
})
