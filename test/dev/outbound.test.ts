import fastify from 'fastify'
import { Webhook } from 'standardwebhooks'
import t, { type Test } from 'tap'
import { outboundApi } from '../../dev/outbound.ts'
import { FORWARD_SECRET } from '../support/receiver.ts'

const MESSAGES = [{ id: 'm', publishedAt: '2026-06-01T12:00:00.000Z', text: 'hello', attributes: {} }]

async function build(t: Test) {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(outboundApi, { forwardSecret: FORWARD_SECRET, messages: () => MESSAGES })
  const post = (id: string, body: string, secret = FORWARD_SECRET) => {
    const now = new Date()
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign(id, now, body)
    }
    return app.inject({ method: 'POST', url: '/received', headers, body })
  }
  const received = async () => (await app.inject('/received')).json<Record<string, unknown>[]>()
  return { app, post, received }
}

t.test('accepts a signed request, and shows it', async (t) => {
  const { post, received } = await build(t)
  t.equal((await post('a', '{ "ü" : 1 }')).statusCode, 204)
  t.match(await received(), [
    { id: 'a', verified: true, repeated: false, body: { ü: 1 }, receivedAt: /^\d{4}-.*Z$/ }
  ])
})

t.test('marks a repeated message', async (t) => {
  const { post, received } = await build(t)
  for (const id of ['a', 'b', 'a']) await post(id, '{}')
  t.match(await received(), [{ repeated: false }, { repeated: false }, { id: 'a', repeated: true }])
})

t.test('refuses an invalid signature, and shows the request without its body', async (t) => {
  const { app, post, received } = await build(t)
  t.match(await post('a', '{"a":1}', `whsec_${'A'.repeat(32)}`), { statusCode: 401 })
  const unsigned = await app.inject({ method: 'POST', url: '/received' })
  t.match(unsigned, { statusCode: 401 })
  t.strictSame(unsigned.json(), { error: { message: 'Missing required headers' } })
  t.match(await received(), [
    { id: 'a', verified: false, why: 'No matching signature found', body: undefined },
    { id: undefined, verified: false, why: 'Missing required headers' }
  ])
  t.equal((await post('a', '{"a":1}')).statusCode, 204)
  t.match((await received()).at(-1), { verified: true, repeated: false })
})

t.test('shows the last 1,000 requests', async (t) => {
  const { post, received } = await build(t)
  for (let count = 0; count <= 1000; count++) await post(`n${count}`, '{}')
  const shown = await received()
  t.equal(shown.length, 1000)
  t.match([shown[0], shown.at(-1)], [{ id: 'n1' }, { id: 'n1000' }])
})

t.test('shows published messages', async (t) => {
  const { app } = await build(t)
  t.strictSame((await app.inject('/messages')).json(), MESSAGES)
})
