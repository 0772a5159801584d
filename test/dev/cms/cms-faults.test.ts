import fastify from 'fastify'
import t from 'tap'
import { CmsFaults } from '../../../dev/cms/cms-faults.ts'

const faults = new CmsFaults()
const app = fastify({ forceCloseConnections: true })
app.get('/:action', async (request, reply) => {
  const status = await faults.inject((request.params as { action: string }).action, request, reply)
  if (reply.sent) return reply
  return reply.code(status ?? 200).send()
})
const url = await app.listen({ host: '127.0.0.1', port: 0 })
t.teardown(() => app.close())
const statusOf = async (action: string) => (await fetch(`${url}/${action}`)).status

t.test('injects a fault into the next calls of an action', async (t) => {
  faults.add({ action: 'a', status: 503, count: 2 })
  t.strictSame(
    [await statusOf('b'), await statusOf('a'), await statusOf('a'), await statusOf('a')],
    [200, 503, 503, 200]
  )
  t.strictSame(faults.calls, ['b', 'a', 'a', 'a'])
})

t.test('adds headers, and runs code', async (t) => {
  let ran = 0
  faults.add({ status: 429, headers: { 'retry-after': '1' }, run: () => ran++ })
  const response = await fetch(`${url}/a`)
  t.strictSame([response.status, response.headers.get('retry-after'), ran], [429, '1', 1])
})

t.test('hangs, or closes the connection', async (t) => {
  faults.add({ kind: 'reset' })
  await t.rejects(statusOf('a'))
  faults.add({ kind: 'hang' })
  await t.rejects(fetch(`${url}/a`, { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' })
})
