import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { checkReachable } from '../../../../app/processors/http/check-reachable.ts'

const signal = new AbortController().signal
const NAMES = { code: 'FORWARD', setting: '`url`' }

/** A server that records the data of each connection. */
async function listen(t: Test, onConnection: (socket: Socket) => void = () => {}) {
  const received: Promise<Buffer[]>[] = []
  const server = createServer((socket) => {
    received.push(socket.on('error', () => {}).toArray())
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => void server.close())
  return { port: (server.address() as AddressInfo).port, received }
}

t.test('connects without sending anything', async (t) => {
  const { port, received } = await listen(t)
  await checkReachable(new URL(`http://127.0.0.1:${port}/secret-path`), signal, NAMES)
  t.equal(received.length, 1)
  t.equal(Buffer.concat(await received[0]!).length, 0)
})

t.test('connects with TLS for https', async (t) => {
  const { port, received } = await listen(t, (socket) => socket.end('no TLS'))
  await t.rejects(checkReachable(new URL(`https://localhost:${port}/`), signal, NAMES), {
    code: 'FORWARD_UNAVAILABLE',
    message: /^cannot reach https:\/\/localhost:\d+: E/
  })
  t.match(Buffer.concat(await received[0]!).toString('latin1'), 'localhost')
  await t.rejects(checkReachable(new URL(`https://127.0.0.1:${port}/`), signal, NAMES), {
    code: 'FORWARD_UNAVAILABLE'
  })
})

t.test('hides the path in errors', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  await t.rejects(checkReachable(new URL(`http://127.0.0.1:${port}/secret-path`), signal, NAMES), {
    code: 'FORWARD_UNAVAILABLE',
    message: new RegExp(`http://127\\.0\\.0\\.1:${port}: ECONNREFUSED; check \`url\`,`)
  })
  for (const url of ['http://[::1]/', 'https://[::1]/'])
    await t.rejects(checkReachable(new URL(url), AbortSignal.abort(), NAMES), { code: 'FORWARD_UNAVAILABLE' })
})
