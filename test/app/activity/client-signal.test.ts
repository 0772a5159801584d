import { once } from 'node:events'
import { createServer, get, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { clientSignal } from '../../../app/activity/client-signal.ts'

t.test('aborts if the client disconnects, but not after a response', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ask = async () => {
    const request = get({ port, host: '127.0.0.1', agent: false })
    request.on('error', () => {})
    const [, response]: [unknown, ServerResponse] = (await once(server, 'request')) as never
    return { request, response, signal: clientSignal(response) }
  }
  const leaving = await ask()
  t.notOk(leaving.signal.aborted)
  leaving.request.destroy()
  await once(leaving.response, 'close')
  t.ok(leaving.signal.aborted)

  const answered = await ask()
  answered.response.end('done')
  await once(answered.response, 'close')
  t.notOk(answered.signal.aborted)
})
