import { fastify } from 'fastify'
import t from 'tap'
import { html } from '../../../../app/activity/pages/html.ts'
import { sendPage } from '../../../../app/activity/pages/page-options.ts'

t.test('a page is HTML, and caches do not store it', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  app.get('/', async (_request, reply) => sendPage(reply, html`<p>${'é<'}</p>`))
  const { headers, body } = await app.inject('/')
  t.equal(headers['content-type'], 'text/html; charset=utf-8')
  t.equal(headers['cache-control'], 'no-store')
  t.equal(body, '<p>é&#60;</p>')
})
