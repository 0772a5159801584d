import { once } from 'node:events'
import { get as httpGet, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { basic, bearer, buildActivity, eventAt, settled } from '../../../support/activity.ts'

type Server = Awaited<ReturnType<typeof buildActivity>>

/** Opens the stream, and collects its messages. */
async function open({ app }: Pick<Server, 'app'>, query = '', headers: Record<string, string> = basic()) {
  const answer = await app.inject({ url: `/api/activity/stream${query}`, headers, payloadAsStream: true })
  const said = { text: '' }
  const stream = answer.stream()
  stream.on('data', (chunk) => {
    said.text += chunk
  })
  await settled()
  return {
    answer,
    said,
    stream,
    messages: () =>
      [...said.text.matchAll(/^id: (.*)\ndata: (.*)$/gm)].map(([, id, data]) => ({
        id: id!,
        event: JSON.parse(data!)
      }))
  }
}

t.test('sends new events with an id, and a heartbeat', async (t) => {
  const server = await buildActivity(t)
  const { answer, said, messages } = await open(server)
  t.match(answer.headers, { 'content-type': /^text\/event-stream/, 'cache-control': 'no-store' })
  t.match(said.text, /^retry: \d+\n\n/)
  server.store.put(eventAt(1))
  await server.time.pass(1000)
  t.match(messages(), [{ id: /-1$/, event: { id: 'event-000001', status: 'done' } }])
  await server.time.pass(15_000)
  t.match(said.text, /\n\n: still here\n\n$/)
})

t.test('filters, and a token sees no errors', async (t) => {
  const server = await buildActivity(t)
  const dead = await open(server, '?status=dead')
  const byToken = await open(server, '?view=dead', bearer())
  const again = await open(server, '', bearer())
  server.store.put(eventAt(1))
  const lastError = { processor: 'p', code: 'E1', message: 'the details' }
  server.store.put(eventAt(2), { status: 'dead', lastError })
  await server.time.pass(1000)
  t.match(dead.messages(), [{ event: { id: 'event-000002', lastError } }])
  t.match(byToken.messages(), [{ event: { id: 'event-000002' } }])
  t.equal(again.messages().length, 2)
  t.notMatch(byToken.said.text + again.said.text, 'the details')
})

t.test('resumes after the last message, by header or parameter', async (t) => {
  const server = await buildActivity(t)
  const first = await open(server)
  server.store.put(eventAt(1))
  server.store.put(eventAt(2))
  await server.time.pass(1000)
  const { id } = first.messages()[0]!
  for (const resumed of [
    await open(server, '', { ...basic(), 'last-event-id': id }),
    await open(server, `?lastEventId=${id}`)
  ]) {
    t.match(resumed.messages(), [{ event: { id: 'event-000002' } }])
    t.equal(resumed.messages().length, 1)
  }
  const lost = await open(server, '?lastEventId=unknown')
  t.match(lost.said.text, /event: reset\nid: .+\ndata: \{\}\n\n/)
})

t.test('a bad filter is refused before the stream starts', async (t) => {
  const { get, app } = await buildActivity(t)
  for (const [query, parameter] of [
    ['status=lost', 'status'],
    ['text=needle', 'text'],
    ['limit=5', 'limit']
  ]) {
    const answer = await get(`/api/activity/stream?${query}`)
    t.equal(answer.statusCode, 400)
    t.match(answer.json(), { code: 'FILTER_INVALID', message: new RegExp(`^${parameter}: `) })
  }
  const refused = await app.inject({ url: '/api/activity/stream?code=E1', headers: bearer() })
  t.match(refused.json(), { code: 'FILTER_REFUSED' })
  const empty = await open({ app }, '?text=')
  t.equal(empty.answer.statusCode, 200)
})

t.test('too many viewers are refused', async (t) => {
  const server = await buildActivity(t, { live: { maximumViewers: 1 } })
  await open(server)
  const answer = await server.get('/api/activity/stream')
  t.equal(answer.statusCode, 503)
  t.match(answer.json(), { code: 'TOO_MANY_VIEWERS' })
  t.equal(answer.headers['retry-after'], '30')
})

t.test('a viewer that disconnects or reads too slowly is removed', async (t) => {
  const server = await buildActivity(t)
  await server.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = server.app.server.address() as AddressInfo
  const connect = async () => {
    const request = httpGet({
      port,
      host: '127.0.0.1',
      path: '/api/activity/stream',
      headers: basic(),
      agent: false
    })
    request.on('error', () => {})
    const [response]: IncomingMessage[] = (await once(request, 'response')) as never
    response!.on('error', () => {})
    return { request, response: response! }
  }
  const leaving = await connect()
  t.equal(server.time.timers, 2, 'a poll and a heartbeat')
  leaving.request.destroy()
  while (server.time.timers > 0) await settled()

  // it never reads
  await connect()
  const payload = 'x'.repeat(100_000)
  for (let after = 0; after < 400 && server.time.timers > 0; after++) {
    server.store.put(eventAt(after), { reason: payload })
    await server.time.pass(1000)
  }
  while (server.time.timers > 0) await settled()
  t.ok(server.lines.some(({ msg }) => msg === 'slow viewer disconnected'))
})
