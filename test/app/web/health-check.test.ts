import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { type Test, test } from 'tap'
import { buildWeb } from '../../support/web.ts'

const script = fileURLToPath(import.meta.resolve('../../../app/web/health-check.ts'))

/** Runs the check against a port. Resolves with its exit code. */
async function check(port: number, ...options: string[]): Promise<number> {
  const child = spawn(process.execPath, [...options, script, String(port)], { stdio: 'inherit' })
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

test('imports only Node.js', async (t) => {
  const port = await serve(t, (_request, response) => response.end())
  const refuse = `
    import { isBuiltin, registerHooks } from 'node:module'
    registerHooks({
      resolve(specifier, context, nextResolve) {
        if (context.parentURL?.includes('/app/') && !isBuiltin(specifier)) throw new Error(specifier)
        return nextResolve(specifier, context)
      }
    })`
  t.equal(await check(port, '--import', `data:text/javascript,${encodeURIComponent(refuse)}`), 0)
})

test('exits 1 for an error response', async (t) => {
  const port = await serve(t, (_request, response) => response.writeHead(500).end())
  t.equal(await check(port), 1)
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
