import { gzipSync } from 'node:zlib'
import { fastify } from 'fastify'
import t, { type Test } from 'tap'
import { staticFiles } from '../../../../app/activity/pages/static-files.ts'

const build = async (t: Test) => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(staticFiles)
  return app
}

t.test('the files have their types', async (t) => {
  const app = await build(t)
  for (const [name, type] of [
    ['activity.css', 'text/css'],
    ['activity.js', 'text/javascript'],
    ['favicon.svg', 'image/svg+xml']
  ]) {
    const { statusCode, headers } = await app.inject(`/activity/${name}`)
    t.equal(statusCode, 200)
    t.match(headers['content-type'], type)
  }
})

t.test('an unchanged file is not sent again', async (t) => {
  const app = await build(t)
  const { headers } = await app.inject('/activity/activity.css')
  const again = await app.inject({
    url: '/activity/activity.css',
    headers: { 'if-none-match': String(headers.etag) }
  })
  t.equal(again.statusCode, 304)
  t.equal(again.body, '')
})

t.test('script and style are small', async (t) => {
  const app = await build(t)
  const sizeOf = async (name: string) => gzipSync((await app.inject(`/activity/${name}`)).rawPayload).length
  t.ok((await sizeOf('activity.js')) <= 15 * 1024)
  t.ok((await sizeOf('activity.css')) <= 15 * 1024)
})
