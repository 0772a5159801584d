import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { CloudinaryClients } from '../../../app/cloudinary/clients.ts'
import { callRest } from '../../../app/cloudinary/rest.ts'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'

interface Answer {
  status?: number
  headers?: Record<string, string>
  body?: string
}

/** Builds a client of a server with given responses, and records its requests. */
async function build(t: Test, answer: Answer | 'silence' | 'reset') {
  const requests: { method?: string; url?: string; authorization?: string; type?: string; body: string }[] =
    []
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    const { method, url, headers } = request
    requests.push({ method, url, authorization: headers.authorization, type: headers['content-type'], body })
    if (answer === 'reset') request.socket.destroy()
    else if (answer !== 'silence')
      response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? '{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const uploadPrefix = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const environment = { ...LOCAL_CLOUDINARY, uploadPrefix }
  const clients = new CloudinaryClients({
    environments: { get: () => environment, cloudNames: () => ['demo'] }
  })
  t.teardown(() => {
    clients.close()
    server.closeAllConnections()
    server.close()
  })
  return { requests, client: clients.for('demo', new AbortController().signal) }
}

t.test('sends parameters and credentials', async (t) => {
  const { client, requests } = await build(t, { body: '{"total":1}' })
  const query = { channel: 'a b&c', wait_seconds: 20 }
  const answer = z.object({ total: z.number() })
  t.strictSame(await callRest(client, 'list', { method: 'GET', path: '/v2/x', query, answer }), { total: 1 })
  await callRest(client, 'create', { method: 'POST', path: '/v1_1/demo/triggers', body: { uri: 'é' } })
  t.match(requests, [
    { method: 'GET', url: '/v2/x?channel=a+b%26c&wait_seconds=20', type: undefined, body: '' },
    { method: 'POST', url: '/v1_1/demo/triggers', type: 'application/json', body: '{"uri":"é"}' }
  ])
  const { apiKey, apiSecret } = LOCAL_CLOUDINARY
  const basic = `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString('base64')}`
  t.ok(requests.every(({ authorization }) => authorization === basic))
})

t.test("keeps the message of Cloudinary's error, without the secret", async (t) => {
  const message = `not with ${LOCAL_CLOUDINARY.apiSecret}`
  const body = JSON.stringify({ error: { message } })
  const cases: [Answer, { code: string; message?: string }][] = [
    [
      { status: 400, body },
      { code: 'CLOUDINARY_REJECTED', message: 'call: 400 not with [secret]' }
    ],
    [
      { status: 404, body: 'no JSON' },
      { code: 'CLOUDINARY_NOT_FOUND', message: 'call: 404 Not Found' }
    ],
    [{ status: 503, body: '{}' }, { code: 'CLOUDINARY_UNAVAILABLE' }]
  ]
  for (const [answer, error] of cases) {
    const { client } = await build(t, answer)
    await t.rejects(callRest(client, 'call', { method: 'GET', path: '/x' }), error)
  }
})

t.test('rejects a response that does not match the schema, and ignores it without a schema', async (t) => {
  for (const body of ['<html>', '', 'null', '[]', '{"total":"1"}']) {
    const { client } = await build(t, { body })
    const call = { method: 'GET', path: '/x' } as const
    t.equal(await callRest(client, 'call', call), undefined)
    await t.rejects(callRest(client, 'call', { ...call, answer: z.object({ total: z.number() }) }), {
      code: 'CLOUDINARY_ANSWER_INVALID'
    })
  }
})

t.test('reports why there was no response', async (t) => {
  const { client } = await build(t, 'silence')
  await t.rejects(callRest(client, 'call', { method: 'GET', path: '/x', timeoutMs: 20 }), {
    code: 'CLOUDINARY_UNREACHABLE',
    message: /^call: .*20 ms/
  })
  const { client: other } = await build(t, 'reset')
  await t.rejects(callRest(other, 'call', { method: 'GET', path: '/x' }), {
    code: 'CLOUDINARY_UNREACHABLE',
    message: 'call: other side closed'
  })
})

t.test('does not follow a redirect', async (t) => {
  const { client, requests } = await build(t, { status: 302, headers: { location: '/elsewhere' } })
  await t.rejects(callRest(client, 'call', { method: 'GET', path: '/x' }), { code: 'CLOUDINARY_UNREACHABLE' })
  t.equal(requests.length, 1)
})

t.test("calls Cloudinary's own host without an upload_prefix", async (t) => {
  const asked = Promise.withResolvers<string>()
  t.capture(globalThis, 'fetch', async (url: URL) => {
    asked.resolve(url.href)
    return new Response('{}')
  })
  const clients = new CloudinaryClients({
    environments: { get: () => LOCAL_CLOUDINARY, cloudNames: () => ['demo'] }
  })
  await callRest(clients.for('demo', new AbortController().signal), 'call', { method: 'GET', path: '/v2/x' })
  t.equal(await asked.promise, 'https://api.cloudinary.com/v2/x')
  clients.close()
})
