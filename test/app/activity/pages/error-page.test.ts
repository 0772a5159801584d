import t from 'tap'
import { errorPage } from '../../../../app/activity/pages/error-page.ts'
import { HOSTILE } from '../../../support/activity-events.ts'

const render = (status: number, code: string, message = '') => errorPage({ status, code, message }).toString()

t.test('a page has the title and advice for its code', async (t) => {
  t.match(render(503, 'JOURNAL_UNAVAILABLE'), 'JOURNAL_TABLE')
  t.match(render(404, 'EVENT_UNKNOWN'), '30 days')
})

t.test('a code without its own page has the page of the status', async (t) => {
  t.match(render(401, 'PASSWORD_WRONG'), 'ACTIVITY_PASSWORD')
  t.match(render(404, 'constructor'), 'There is no such page')
})

t.test('any other status has a page too', async (t) => {
  t.match(render(500, 'INTERNAL'), 'Unexpected error')
  t.match(render(418, 'TEAPOT', 'short'), '<code>TEAPOT</code> · short')
})

t.test('codes and messages are escaped', async (t) => {
  t.notMatch(render(400, HOSTILE, HOSTILE), /<script>|<img/)
})
