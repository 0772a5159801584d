import type { AddressInfo } from 'node:net'
import t from 'tap'
import { exchange, rawRequest } from '../../support/raw-http.ts'
import { buildWeb, NOW } from '../../support/web.ts'

t.test('logs a POST to an unknown path once a minute, and no other request', async (t) => {
  let now = NOW
  const { app, lines } = await buildWeb(t, { clock: () => now })
  const ask = async (method: 'GET' | 'POST', url: string) => {
    t.equal((await app.inject({ method, url, payload: method === 'POST' ? '{}' : '' })).statusCode, 404)
  }
  await ask('GET', '/webhook/cloudinary')
  t.strictSame(lines, [])
  await ask('POST', '/webhook/cloudinary?token=of-somebody')
  await ask('POST', '/.env')
  now += 59_999
  await ask('POST', '/other')
  t.match(lines, [{ level: 40, code: 'PATH_UNKNOWN', path: '/webhook/cloudinary', ip: '127.0.0.1' }])
  t.equal(lines.length, 1)
  t.notMatch(JSON.stringify(lines), 'of-somebody')
  now += 1
  await ask('POST', '/webhooks/cloudinary/demo')
  t.match(lines.slice(1), [
    { msg: 'refused requests not logged', code: 'PATH_UNKNOWN', requests: 2 },
    { code: 'PATH_UNKNOWN', path: '/webhooks/cloudinary/demo' }
  ])
})

t.test('the line is short and has no credentials for any path', async (t) => {
  let now = NOW
  const { app, lines } = await buildWeb(t, { clock: () => now })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  for (const [target, path] of [
    ['http://user:pass@example.com/webhook?x=1', '/webhook'],
    ['/"},{"level":60', '/"},{"level":60'],
    ['/hook%3Ftoken=of-somebody', '/hook%3Ftoken=…'],
    ['/hook/whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz', '/hook/whsec_…'],
    [`/${'a'.repeat(5000)}`, `/${'a'.repeat(199)}…`]
  ] as const) {
    now += 60_000
    t.strictSame(await exchange(rawRequest({ target, headers: [['Host', 'localhost']] }), { port }), [404])
    t.equal(lines.at(-1)?.path, path)
  }
})
