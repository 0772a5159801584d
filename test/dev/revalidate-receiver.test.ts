import fastify from 'fastify'
import t from 'tap'
import { revalidateReceiver } from '../../dev/revalidate-receiver.ts'

t.test('records calls with the secret', async (t) => {
  const app = fastify()
  app.register(revalidateReceiver, { publishSecret: 'local' })
  t.teardown(() => app.close())
  const post = (authorization: string, payload?: object) =>
    app.inject({
      method: 'POST',
      url: '/revalidate',
      headers: { authorization },
      ...(payload && { payload })
    })
  t.match(await post('Bearer other', { tags: [] }), { statusCode: 401 })
  t.match(await post('Bearer local', { tags: ['cloudinary'], paths: ['/'] }), { statusCode: 200 })
  for (let index = 0; index < 1000; index++) await post('Bearer local')
  const calls = (await app.inject({ url: '/revalidate' })).json()
  t.equal(calls.length, 1000)
  t.notMatch(calls[0], { tags: ['cloudinary'] })
  await post('Bearer local', { tags: ['cloudinary'], paths: ['/'] })
  t.match((await app.inject({ url: '/revalidate' })).json().at(-1), { tags: ['cloudinary'], paths: ['/'] })
})
