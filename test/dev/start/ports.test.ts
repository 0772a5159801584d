import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import t from 'tap'
import { describeTaken, type Execute, holderOf, isFree, nextFreePort } from '../../../dev/start/ports.ts'

/** A system with these programs and their output. */
const system =
  (programs: Record<string, string>): Execute =>
  async (program) => {
    if (programs[program] === undefined) throw new Error(`${program} not found`)
    return programs[program]
  }

t.test('tells a taken port from a free one', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.notOk(await isFree(port))
  const holder = await holderOf(port)
  t.ok(holder === undefined || holder.includes(`(process ${process.pid})`), 'where a program can tell')
  server.close()
  await once(server, 'close')
  t.ok(await isFree(port))
})

t.test('finds the next free port after that of a server', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const next = await nextFreePort(`http://127.0.0.1:${port - 1}/webhooks/cloudinary`)
  t.ok(next === 0 || next > port)
  t.ok((await nextFreePort('http://127.0.0.1')) > 80)
  t.equal(await nextFreePort('http://127.0.0.1:65535'), 0)
})

t.test('names the holder of a port with the programs the system has', async (t) => {
  const lsof = 'p4711\nf18\n'
  const ss = 'LISTEN 0 511 127.0.0.1:8080 0.0.0.0:* users:(("MainThread",pid=4711,fd=18))\n'
  const nginx = '/usr/sbin/nginx -g daemon off;\n'
  t.equal(await holderOf(8080, system({ lsof, ps: nginx })), 'nginx (process 4711)')
  t.equal(await holderOf(8080, system({ ss, ps: nginx })), 'nginx (process 4711)')
  t.equal(
    await holderOf(8080, system({ ss, ps: '/x/node app/main.ts web' })),
    'another listener (process 4711)'
  )
  t.equal(await holderOf(8080, system({ ss })), 'a program (process 4711)')
  t.equal(await holderOf(8080, system({ ss: '' })), undefined)
  t.equal(await holderOf(8080, system({})), undefined)
})

t.test('describes a taken port, with its holder where known', async (t) => {
  t.equal(await describeTaken(1, async () => 'nginx (process 2)'), 'port 1 is taken by nginx (process 2)')
  t.equal(await describeTaken(1, async () => undefined), 'port 1 is taken')
})
