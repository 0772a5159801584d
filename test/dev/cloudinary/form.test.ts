import multipart from '@fastify/multipart'
import fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { type Form, readForm } from '../../../dev/cloudinary/form.ts'

async function echo(t: { teardown: (end: () => unknown) => void }): Promise<FastifyInstance> {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(multipart, { attachFieldsToBody: true })
  app.route({ method: ['GET', 'POST'], url: '/', handler: (request) => readForm(request) })
  return app
}

async function post(app: FastifyInstance, form: FormData): Promise<Form> {
  const request = new Request('http://localhost/', { method: 'POST', body: form })
  const response = await app.inject({
    method: 'POST',
    url: '/',
    headers: Object.fromEntries(request.headers),
    payload: Buffer.from(await request.arrayBuffer())
  })
  return response.json()
}

t.test('reads texts, lists and a file from a multipart body', async (t) => {
  const form = new FormData()
  form.append('tag', 'é=1')
  form.append('public_ids[]', 'a')
  form.append('twice', '1')
  form.append('twice', '2')
  form.append('file', new File(['bytes'], 'cat.png'))
  t.match(await post(await echo(t), form), {
    values: { tag: 'é=1', public_ids: ['a'], twice: ['1', '2'] },
    file: { filename: 'cat.png', bytes: { data: [...Buffer.from('bytes')] } }
  })
})

t.test('names a file that has no name', async (t) => {
  const app = await echo(t)
  const payload = [
    '--x',
    'content-disposition: form-data; name="file"',
    'content-type: application/octet-stream',
    '',
    'bytes',
    '--x--'
  ].join('\r\n')
  const headers = { 'content-type': 'multipart/form-data; boundary=x' }
  const response = await app.inject({ method: 'POST', url: '/', headers, payload })
  t.match(response.json(), { file: { filename: 'file' } })
})

t.test('reads the query and other bodies', async (t) => {
  const app = await echo(t)
  t.same((await app.inject({ url: '/?a=1&b[]=2&b[]=3' })).json(), { values: { a: '1', b: ['2', '3'] } })
  const response = await app.inject({ method: 'POST', url: '/?a=1', payload: { a: 2, c: null } })
  t.same(response.json(), { values: { a: '2', c: 'null' } })
})
