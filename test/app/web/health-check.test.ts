import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Test, test } from 'tap'
import { buildWeb } from '../../support/web.ts'

const script = fileURLToPath(import.meta.resolve('../../../app/web/health-check.sh'))

/** Runs the check against a port. Resolves with its exit code. */
async function check(port: number): Promise<number> {
  const child = spawn('bash', [script, String(port)], { stdio: ['ignore', 'inherit', 'ignore'] })
  const [code] = await once(child, 'close')
  return code
}

async function serve(t: Test, answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

test('exits 0 while the web role is alive', async (t) => {
  const { app } = await buildWeb(t)
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.equal(await check((app.server.address() as AddressInfo).port), 0)
})

test('starts no process: the image checks every 10 s', async (t) => {
  const commands = readFileSync(script, 'utf8')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => line.split(' ')[0])
  t.strictSame(commands, ['exec', 'printf', 'read', '['], 'built into bash')
  t.match(readFileSync('Dockerfile', 'utf8'), /^HEALTHCHECK .* CMD bash app\/web\/health-check\.sh /m)
})

test('exits 1 for an error response', async (t) => {
  for (const status of [500, 503, 201]) {
    const port = await serve(t, (_request, response) => response.writeHead(status).end())
    t.equal(await check(port), 1)
  }
})

test('exits 1 if nothing listens', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  t.equal(await check(port), 1)
})

test('exits 1 after the time-out', async (t) => {
  const port = await serve(t, () => {})
  t.equal(await check(port), 1)
})
