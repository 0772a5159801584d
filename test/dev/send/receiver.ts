import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { LOCAL_CLOUDINARY } from '../../../app/testing/defaults.ts'

export interface Received {
  headers: Record<string, unknown>
  body: Buffer
}

export interface Receiver {
  url: string
  port: number
  received: Received[]
  /** Returns the maximum number of concurrent requests. */
  peak: () => number
}

/**
 * Starts a receiver of notifications on a free port. By default it verifies signatures with the local secret
 * and answers with the codes of the listener.
 */
export async function receiver(
  t: { teardown: (end: () => Promise<void>) => void },
  answer: (received: Received) => { status: number; body: unknown } = check
): Promise<Receiver> {
  const received: Received[] = []
  let [inFlight, peak] = [0, 0]
  const server = createServer(async (request, response) => {
    inFlight += 1
    peak = Math.max(peak, inFlight)
    const one = { headers: request.headers, body: Buffer.concat(await request.toArray()) }
    received.push(one)
    const { status, body } = answer(one)
    inFlight -= 1
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/webhooks/cloudinary`, port, received, peak: () => peak }
}

/** Returns an address where nothing listens. */
export async function unusedUrl(): Promise<string> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}/webhooks/cloudinary`
}

function check({ headers, body }: Received): { status: number; body: unknown } {
  const signature = headers['x-cld-signature']
  const timestamp = headers['x-cld-timestamp']
  if (typeof signature !== 'string' || typeof timestamp !== 'string') return refusal('SIGNATURE_MISSING')
  const age = Date.now() / 1000 - Number(timestamp)
  if (age > 7200 || age < -300) return refusal('SIGNATURE_EXPIRED')
  const algorithm = signature.length === 64 ? 'sha256' : 'sha1'
  const expected = createHash(algorithm).update(body).update(timestamp).update(LOCAL_CLOUDINARY.apiSecret)
  if (signature !== expected.digest('hex')) return refusal('SIGNATURE_INVALID')
  return { status: 200, body: { accepted: 1 } }
}

function refusal(code: string) {
  return { status: 401, body: { code } }
}
